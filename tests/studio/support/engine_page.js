/* What the tests of the engine do in the page; the song comes from /pcm. */

import { ChunkLoader } from "/static/engine/chunk_loader.js";
import { Engine, matchedDb } from "/static/engine/engine.js";
import { ListeningPlayer } from "/static/engine/listening_player.js";

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function fetchPcm(start, frames, signal) {
  return (await fetch(`/pcm?start=${start}&frames=${frames}`, { signal })).arrayBuffer();
}

function failOnError(engine) {
  engine.on("error", (error) => {
    throw error;
  });
  return engine;
}

/** The audio thread has everything that it was sent, and all chunks that it wants. */
async function full(engine) {
  while (!engine.loader.isFull) await pause(5);
  await engine.settled();
}

/** Both channels, one after the other, as float32 in base64. */
function encoded(buffer) {
  const bytes = new Uint8Array(8 * buffer.length);
  for (const c of [0, 1]) bytes.set(new Uint8Array(buffer.getChannelData(c).buffer), 4 * c * buffer.length);
  let binary = "";
  for (let i = 0; i < bytes.length; i += 32768) binary += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(binary);
}

/** What an engine plays of a song in an offline context; `prepare(engine, at)` may plan with `at(time, what)`. */
async function heard(song, length, prepare) {
  const context = new OfflineAudioContext(2, length, song.sample_rate);
  const engine = failOnError(new Engine(context, song, fetchPcm));
  await engine.load();
  await full(engine);
  const at = (time, what) =>
    context.suspend(time).then(async () => {
      what();
      await full(engine);
      context.resume();
    });
  prepare(engine, at);
  await engine.play();
  await full(engine);
  return encoded(await context.startRendering());
}

/** The same from a server that keeps all but the first chunk back until `releaseAt` seconds; with what was told. */
async function heardLate(song, length, releaseAt) {
  const context = new OfflineAudioContext(2, length, song.sample_rate);
  let release;
  const held = new Promise((done) => (release = done));
  const slow = async (start, frames, signal) => {
    if (start > 0) await held;
    return fetchPcm(start, frames, signal);
  };
  const engine = failOnError(new Engine(context, song, slow));
  await engine.load();
  while (engine.loader.here.size < 1) await pause(5);
  const told = [];
  engine.on("starved", ({ isStarved }) => told.push(isStarved));
  context.suspend(releaseAt).then(async () => {
    release();
    await full(engine);
    context.resume();
  });
  await engine.play();
  await engine.settled();
  const text = encoded(await context.startRendering());
  await pause(50);
  return [text, told];
}

/** Play through an hour with seeks and a loop: [chunks held at the end, at most, delivered, places not there]. */
async function anHour() {
  const rate = 44100;
  const held = new Set();
  let [most, delivered, missing] = [0, 0, 0];
  const loader = new ChunkLoader(3600 * rate, 2, async (start, frames) => new Float32Array(2 * frames), {
    deliver: (index) => {
      held.add(index);
      delivered++;
      most = Math.max(most, held.size);
    },
    drop: (indices) => indices.forEach((index) => held.delete(index)),
    failed: (error) => {
      throw error;
    },
  });
  for (let s = 0; s < 3600; s += 0.7) {
    const loop = s > 1800 ? { start: rate * 1700, stop: rate * 1720 } : null;
    const seeks = s % 100 < 1 ? [Math.floor((3600 - s) * rate) - 1] : [];
    loader.want([Math.floor(s * rate), ...seeks], loop);
    while (!loader.isFull) await null;
    if (!held.has(Math.floor((s * rate) / 32768))) missing++;
  }
  return [held.size, most, delivered, missing];
}

/** An engine that plays in real time, as globalThis.engine; globalThis.ends counts the ends of the song. */
async function playNow(song) {
  const engine = failOnError(new Engine(new AudioContext({ sampleRate: song.sample_rate }), song, fetchPcm));
  await engine.load();
  Object.assign(globalThis, { engine, ends: 0 });
  engine.on("ended", () => globalThis.ends++);
  await engine.play();
}

/** The report's blind comparison with an engine as its player: globalThis.player, entries, shown. */
async function compareBlind(song) {
  const engine = new Engine(new OfflineAudioContext(2, 1000, song.sample_rate), song, fetchPcm);
  await engine.load();
  engine.setAlternatives(1);
  const [shown, entries] = [[], []];
  const sources = [
    { name: "mix", listen: "before" },
    { name: "master", listen: "after" },
    { name: "gentle", listen: 0 },
  ];
  const player = new ListeningPlayer(document.querySelector("#player"), engine, sources, {
    song: "a song",
    matchedLufs: -20,
    show: (row) => shown.push(row),
  });
  new Preference(player, { add: (entry) => entries.push(entry) });
  Object.assign(globalThis, { engine, player, entries, shown });
}

/** What is said of another rate, and of coefficients that are no numbers. */
function refusals() {
  const song = { sample_rate: 48000, channels: 2, frames: 100 };
  const messages = [];
  const attempt = (what) => {
    try {
      what();
    } catch (error) {
      messages.push(error.message);
    }
  };
  attempt(() => new Engine(new OfflineAudioContext(2, 100, 44100), song, null));
  const engine = new Engine(new OfflineAudioContext(2, 100, 48000), song, null);
  attempt(() => engine.setSections({ stages: [{ name: "eq", sos: [[1, 0, NaN, 0, 0]] }] }));
  return messages;
}

globalThis.neuralMastering = { anHour, compareBlind, heard, heardLate, matchedDb, playNow, refusals };
