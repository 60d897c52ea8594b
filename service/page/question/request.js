// A question as the body of POST /fill-mask.

/** The words that somebody wrote with commas between them, each once. */
export function listTargets(targets) {
  return [...new Set(targets.split(/[,\n]/).map((word) => word.trim()).filter(Boolean))];
}

/** The body that asks a preset; an empty name is the server's default preset. */
export function bodyOf(question, preset = question.preset) {
  const body = { inputs: question.text };
  if (preset) body.preset = preset;
  const targets = listTargets(question.targets);
  if (question.isJoint) return { ...body, top_k: question.topK, decode: "joint" };
  return targets.length ? { ...body, targets } : { ...body, top_k: question.topK };
}
