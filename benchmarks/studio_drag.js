/* Watches drags in nm-studio's page: from each pointer event to the first quantum with its coefficients. */

(async () => {
  const { sound } = await import("/static/js/sound.js");
  const engine = await sound.ready();
  const [times, handled, trips, began, posted] = [[], [], [], new Map(), new Map()];
  let moved = 0;
  for (const kind of ["pointerrawupdate", "pointermove"])
    document.addEventListener(kind, (event) => (moved = performance.timeOrigin + event.timeStamp), true);
  const { postMessage } = Worker.prototype;
  Worker.prototype.postMessage = function (message, ...more) {
    if (message.body) {
      began.set(message.id, moved);
      posted.set(message.id, performance.timeOrigin + performance.now());
      this.onmessage ??= ({ data }) => data.ms && trips.push(data.ms);
    }
    return postMessage.call(this, message, ...more);
  };
  engine.on("applied", ({ id, wallMs }) => {
    if (!began.has(id)) return;
    times.push(wallMs - began.get(id));
    handled.push(posted.get(id) - began.get(id));
  });
  await sound.play();
  globalThis.drag = { engine, times, handled, trips };
})
