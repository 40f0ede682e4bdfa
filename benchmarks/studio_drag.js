/* Watches drags in nm-studio's page: from each pointer event to the first quantum with its coefficients. */

(async () => {
  const { sound } = await import("/static/js/sound.js");
  const engine = await sound.ready();
  const times = [];
  const roundTrips = [];
  const began = new Map(); // id of sections → wall clock of the pointer event
  let moved = 0;
  let sent = 0;
  document.addEventListener("pointermove", (event) => (moved = performance.timeOrigin + event.timeStamp), true);
  const { fetch } = globalThis;
  globalThis.fetch = async (address, ...more) => {
    if (!String(address).endsWith("/sections")) return fetch(address, ...more);
    sent = moved;
    const started = performance.now();
    const answer = await fetch(address, ...more);
    roundTrips.push(performance.now() - started);
    return answer;
  };
  const setSections = engine.setSections.bind(engine);
  engine.setSections = (...given) => {
    const id = setSections(...given);
    began.set(id, sent);
    return id;
  };
  engine.on("applied", ({ id, wallMs }) => {
    if (began.has(id)) times.push(wallMs - began.get(id));
  });
  await sound.play();
  globalThis.drag = { engine, times, roundTrips };
})
