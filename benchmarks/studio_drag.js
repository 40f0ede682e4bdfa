/* A drag in the page of nm-studio: from each pointer event to the first quantum with its coefficients. */

(async (song, controls, rate) => {
  const { Engine } = await import("/static/engine/engine.js");
  const ask = async (path, body) => {
    const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
  };
  const fetchPcm = async (start, frames, signal) =>
    (await fetch(`/songs/${song.id}/pcm?start=${start}&frames=${frames}`, { signal })).arrayBuffer();
  const context = new AudioContext({ sampleRate: rate, latencyHint: "interactive" });
  const engine = new Engine(context, { ...song, sample_rate: rate }, fetchPcm);
  await engine.load();
  engine.setSections(await ask("/sections", { controls, sample_rate: rate }));
  engine.listen("after");
  engine.setLoop(10, 30);
  engine.seek(10);
  await engine.play();
  const began = new Map(); // id of sections → wall clock of the pointer event
  const times = [];
  const roundTrips = [];
  engine.on("applied", ({ id, wallMs }) => {
    if (began.has(id)) times.push(wallMs - began.get(id));
  });
  let asked = null;
  let isBusy = false;
  document.addEventListener("pointermove", async (event) => {
    asked = event;
    if (isBusy) return; // the newest counts
    isBusy = true;
    while (asked) {
      const move = asked;
      asked = null;
      controls.eq[0].frequency_hz = 40 * 10 ** (move.clientX / 500);
      controls.eq[0].gain_db = (300 - move.clientY) / 30;
      const started = performance.now();
      const sections = await ask("/sections", { controls, sample_rate: rate });
      roundTrips.push(performance.now() - started);
      began.set(engine.setSections(sections), performance.timeOrigin + move.timeStamp);
    }
    isBusy = false;
  });
  globalThis.drag = { engine, times, roundTrips };
})
