/* What the audio thread of nm-studio costs: seconds of processor time wanted for a second of sound. */

(async (song, sections, alternatives) => {
  const { Engine } = await import("/static/engine/engine.js");
  const fetchPcm = async (start, frames, signal) =>
    (await fetch(`/songs/${song.id}/pcm?start=${start}&frames=${frames}`, { signal })).arrayBuffer();
  const seconds = 3; // what the engine loads at the start is a little more
  const context = new OfflineAudioContext(2, seconds * song.sample_rate, song.sample_rate);
  const engine = new Engine(context, song, fetchPcm);
  await engine.load();
  engine.setAlternatives(alternatives);
  for (const which of ["after", ...Array(alternatives).keys()]) engine.setSections(sections, which);
  engine.listen("after");
  await engine.play();
  while (!engine.loader.isFull) await new Promise((done) => setTimeout(done, 5));
  await engine.settled();
  const started = performance.now();
  await context.startRendering();
  engine.close();
  return (performance.now() - started) / 1e3 / seconds;
})
