// Asks each question of a JSON list on stdin with Hugging Face's client, and writes what came of it.
import { InferenceClient } from "@huggingface/inference";

const MASK = "[MASK]";

async function ask({ address, inputs, parameters, key, headers }) {
  const statuses = [];
  const edited = async (url, init) => {
    const response = await fetch(url, { ...init, headers: { ...init.headers, ...headers } });
    statuses.push(response.status);
    return response;
  };
  const client = new InferenceClient(key, { endpointUrl: address, fetch: edited });
  // Its own check of answers to fill-mask knows one text with one mask only.
  const isPlain = typeof inputs === "string" && inputs.split(MASK).length === 2;
  const call = isPlain ? client.fillMask : client.request;
  try {
    return { answer: await call({ inputs, parameters }), statuses };
  } catch (error) {
    const { status, requestId } = error.httpResponse ?? {};
    return { error: error.message, status, requestId, statuses };
  }
}

let read = "";
for await (const chunk of process.stdin) read += chunk;
const answers = [];
for (const question of JSON.parse(read)) answers.push(await ask(question));
process.stdout.write(JSON.stringify(answers));
