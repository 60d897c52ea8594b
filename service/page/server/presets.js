// The presets, how they stand, and looking again while that may change.

import { listPresets } from "./api.js";

const PAUSE_MS = 700;
const LONGEST_PAUSE_MS = 10_000;
const ON_THE_WAY = new Set(["downloading", "loading"]);

const sleep = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

export const isOnTheWay = (preset) => ON_THE_WAY.has(preset?.state);

/** Hold the list. `onChange` is told a new one, `onRefusal` why there is none. */
export function createPresets(onChange, onRefusal) {
  let list = { default: "", presets: [] };
  let waiting = 0; // how many requests have no answer yet
  let isWatching = false;

  /** Look once; whether there was an answer. */
  const refresh = async () => {
    try {
      list = await listPresets();
    } catch (refusal) {
      onRefusal(refusal);
      return false;
    }
    onChange(list);
    return true;
  };

  // Ends when nobody waits, and nothing is on its way that is known to come.
  const watch = async () => {
    if (isWatching) return;
    isWatching = true;
    let pause = PAUSE_MS;
    while (waiting || (pause === PAUSE_MS && list.presets.some(isOnTheWay))) {
      await sleep(pause);
      if (!waiting && !list.presets.some(isOnTheWay)) break;
      pause = (await refresh()) ? PAUSE_MS : Math.min(2 * pause, LONGEST_PAUSE_MS);
    }
    isWatching = false;
  };

  const find = (name) => list.presets.find((preset) => preset.name === (name || list.default));

  return {
    get list() { return list; },
    find,
    refresh,
    /** Look again and again until a request for a preset has settled, if that takes its time. */
    async watchWhile(name, request) {
      waiting += 1;
      watch();
      try {
        return await request;
      } finally {
        waiting -= 1;
        if (find(name)?.state !== "ready") refresh().then(watch);
      }
    },
  };
}
