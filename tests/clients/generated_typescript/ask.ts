// Asks what a question on the standard input says, and prints predictions, or why there are none.

import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

interface Question {
  url: string;
  key: string;
  body: components["schemas"]["FillMaskRequest"];
  timeout_s: number | null;
}

let content = "";
for await (const part of process.stdin.setEncoding("utf8")) content += part;
const question = JSON.parse(content) as Question;

const client = createClient<paths>({
  baseUrl: question.url,
  headers: { authorization: `Bearer ${question.key}` },
});
const { data, error, response } = await client.POST("/fill-mask", {
  body: question.body,
  ...(question.timeout_s !== null && {
    params: { header: { "x-request-timeout-s": question.timeout_s } },
  }),
});

if (error !== undefined) {
  const { error: sentence, code } = error;
  console.log(JSON.stringify({ status: response.status, code, error: sentence }));
} else {
  const predictions: (number | string | null)[][][] = [];
  for (const result of data.results) {
    if (!("masks" in result)) throw new Error("nothing was asked to be filled jointly");
    for (const mask of result.masks) {
      predictions.push(
        mask.predictions.map(({ token, token_str, score }) => [token, token_str, score]),
      );
    }
  }
  console.log(JSON.stringify({ predictions }));
}
