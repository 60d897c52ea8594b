// The HTTP API, by paths relative to the page: it may stand below any prefix.

import { readKey } from "./key.js";

/** What the server said no with: its own sentence, and what programs need of it. */
export class Refusal extends Error {
  constructor(sentence, { code, retryAfterS = null }) {
    super(sentence);
    this.code = code;
    this.retryAfterS = retryAfterS;
  }
}

const UNREACHABLE = "The server cannot be reached.";

async function call(path, { body, signal } = {}) {
  const key = readKey();
  const headers = key ? { authorization: `Bearer ${key}` } : {};
  if (body) headers["content-type"] = "application/json";
  let response;
  let answer;
  try {
    response = await fetch(path, {
      method: body ? "POST" : "GET", headers, signal, cache: "no-store", body: body && JSON.stringify(body),
    });
    answer = await response.text();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(UNREACHABLE, { code: "unreachable" });
  }
  return read(response, answer);
}

function read(response, answer) {
  let told;
  try { told = JSON.parse(answer); } catch { told = {}; }
  if (response.ok) return { told, headers: response.headers };
  // Without a sentence, it was somebody in between who answered.
  throw new Refusal(told.error ?? `Something on the way answered ${response.status}, and not the server.`, {
    code: told.code ?? (response.status >= 500 ? "unreachable" : "unknown"),
    retryAfterS: Number.parseInt(response.headers.get("retry-after"), 10) || null,
  });
}

/** The answer to a body of POST /fill-mask, and how many milliseconds the model took. */
export async function fillMask(body, signal) {
  const { told, headers } = await call("fill-mask", { body, signal });
  return { ...told, milliseconds: Number(headers.get("x-inference-time")) };
}

/** Which presets there are and how they stand. */
export async function listPresets() {
  return (await call("presets")).told;
}
