/* The server, as functions. A refusal becomes an Error with the server's own sentence. */

async function refusal(response) {
  const text = await response.text();
  try {
    const { error, detail } = JSON.parse(text);
    return new Error(error ?? (typeof detail === "string" ? detail : `The studio answered ${response.status}.`));
  } catch {
    return new Error(`The studio answered ${response.status}.`);
  }
}

export class Gone extends Error {}

async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Gone("The studio does not answer. Is nm-studio still running? Your work is saved.");
  }
  if (!response.ok) throw Object.assign(await refusal(response), { status: response.status });
  return response;
}

const sent = (method, body, more = {}) => ({
  method,
  body: JSON.stringify(body),
  ...more,
  headers: { "Content-Type": "application/json", ...more.headers },
});
const id = encodeURIComponent;
export const sendText = (path, body) => ask(path, { method: "POST", body, headers: { "Content-Type": "application/json" } });

export const get = async (path) => (await ask(path)).json();
export const post = async (path, body, more) => (await ask(path, sent("POST", body, more))).json();
export const put = async (path, body, more) => (await ask(path, sent("PUT", body, more))).json();
export const remove = (path) => ask(path, { method: "DELETE" });
export const binary = async (path, signal) => (await ask(path, { signal })).arrayBuffer();
export const postRaw = (path, body, more) => ask(path, sent("POST", body, more));

/** GET with the ETag that the answer came with. */
export async function getTagged(path) {
  const response = await ask(path);
  return { value: await response.json(), tag: response.headers.get("ETag") };
}

const KEPT_ALIVE = 50_000; // characters that are still sent when the tab is closed

/** PUT under a condition: {tag} of what was written, or {conflict: true} where someone else wrote first. */
export async function putTagged(path, value, tag) {
  try {
    const request = sent("PUT", value, { headers: tag ? { "If-Match": tag } : {} });
    const response = await ask(path, { ...request, keepalive: request.body.length < KEPT_ALIVE });
    return { tag: response.headers.get("ETag"), value: await response.json() };
  } catch (error) {
    if (error.status === 409) return { conflict: true };
    throw error;
  }
}

/** Sends a file's bytes; `progress` hears the share that has gone. */
export function upload(file, { role, progress = () => {} } = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/songs?name=${id(file.name)}${role ? `&role=${role}` : ""}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onerror = () => reject(new Gone("The file could not be sent: the studio does not answer."));
    request.onload = () => {
      let answer = {};
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        // no JSON: the status says enough
      }
      if (request.status < 300) resolve(answer);
      else reject(new Error(answer.error ?? `The studio answered ${request.status}.`));
    };
    request.send(file);
  });
}

const OVER = new Set(["done", "failed", "cancelled"]);

/** Follows a job to its end and gives its result; aborting the signal cancels the job. */
export function follow(job, { progress = () => {}, signal } = {}) {
  return new Promise((resolve, reject) => {
    const events = new EventSource(`/jobs/${id(job)}/events`);
    let fails = 0;
    const end = (act) => {
      events.close();
      signal?.removeEventListener("abort", abort);
      act();
    };
    const abort = () => {
      remove(`/jobs/${id(job)}`).catch(() => {});
      end(() => reject(new DOMException("cancelled", "AbortError")));
    };
    if (signal?.aborted) return abort();
    signal?.addEventListener("abort", abort);
    events.onmessage = (event) => {
      fails = 0;
      const state = JSON.parse(event.data);
      progress(state);
      if (!OVER.has(state.state)) return;
      if (state.state === "done") end(() => resolve(state.result));
      else if (state.state === "failed") end(() => reject(new Error(state.error ?? "The work failed.")));
      else end(() => reject(new DOMException("cancelled", "AbortError")));
    };
    events.onerror = () => {
      if (++fails > 4) end(() => reject(new Gone("The studio does not answer. Is nm-studio still running?")));
    };
  });
}

/** Posts a piece of work and follows it. */
export async function work(path, body, options = {}) {
  const answer = await post(path, body, options.signal ? { signal: options.signal } : {});
  return follow(answer.job?.id ?? answer.job ?? answer.id, options);
}

/** Saves an answer of the server as a file of the person. */
export async function save(path, body, fallbackName) {
  const response = await (body === undefined ? ask(path) : postRaw(path, body));
  const named = /filename\*?=(?:UTF-8'')?"?([^";]+)/i.exec(response.headers.get("Content-Disposition") ?? "");
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = named ? decodeURIComponent(named[1]) : fallbackName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
