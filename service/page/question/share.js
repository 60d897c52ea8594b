// A question in the fragment of an address, which no server ever sees.

import { DEFAULTS } from "./question.js";

const MOST_CHARACTERS = 4000; // of a text; longer addresses are cut on their way

/** The fragment of a question, or "" where its text is too long for one. */
export function toFragment(question) {
  if (question.text.length > MOST_CHARACTERS) return "";
  const fields = new URLSearchParams({ text: question.text });
  if (question.preset) fields.set("preset", question.preset);
  if (question.compare) fields.set("compare", question.compare);
  if (question.topK !== DEFAULTS.topK) fields.set("top_k", question.topK);
  if (question.isJoint) fields.set("decode", "joint");
  if (question.targets) fields.set("targets", question.targets);
  return `#${fields}`;
}

/** The part of a question that a fragment holds. */
export function fromFragment(fragment) {
  const fields = new URLSearchParams(fragment.replace(/^#/, ""));
  if (!fields.has("text")) return {};
  const topK = Number(fields.get("top_k"));
  return {
    text: fields.get("text"),
    preset: fields.get("preset") ?? "",
    compare: fields.get("compare") ?? "",
    topK: Number.isInteger(topK) && topK > 0 ? topK : DEFAULTS.topK,
    isJoint: fields.get("decode") === "joint",
    targets: fields.get("targets") ?? "",
  };
}
