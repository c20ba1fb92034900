/** What happens to a run, and what training then does: see `run_state.js`. */
import type { Backend, BestWeights, Planned, Restored, RunMeta, TrainEvent } from "../engine/types.js";
import type { OpenRun } from "./run_facts.js";

type Lines = [string, Record<string, string | number>?][];

/** A message's button, and what it does. */
export interface Offered {
  key: string;
  does: { type: "resume" } | { type: "openRun"; run: string; goOn: boolean };
}

/** `key`: an opening of a run; `number`: a training; `attempt`: one to begin a run; `pause`, `save`: one that was asked for. */
export type RunStateEvent =
  // By the user.
  | { type: "start"; ready: boolean; text: string; afresh: boolean }
  | { type: "pause" }
  | { type: "stop" }
  | { type: "resume" }
  | { type: "save" }
  | { type: "useBest"; best: boolean }
  | { type: "strength"; value: number }
  | { type: "strengthSet" }
  | { type: "giveUp"; run: string }
  | { type: "renamed"; run: string; name: string }
  | { type: "unnamed"; run: string }
  // By an attempt to begin a run.
  | { type: "opening"; attempt: number; fresh: unknown }
  | { type: "begun"; attempt: number; run: Omit<OpenRun, "steps" | "planned">; planned: Planned }
  | { type: "notBegun"; attempt: number; error?: unknown }
  // By the engine.
  | { type: "progress"; number: number; events: TrainEvent[]; elapsedMs: number; backend: Backend | "" }
  | { type: "ended"; number: number; finished: boolean; best: BestWeights | null }
  | { type: "failed"; number: number; error: unknown }
  | { type: "notPaused"; pause: number; error: unknown }
  | { type: "sample"; key: number; sample: NonNullable<RunMeta["sample"]> }
  | { type: "sampled"; key: number }
  | { type: "best"; key: number; best: BestWeights | null }
  | { type: "bestUsed"; key: number; best: BestWeights | null }
  | { type: "saved"; key: number; step: number }
  | { type: "notSaved"; key: number; error: unknown }
  | { type: "saveEnded"; save: number }
  | { type: "crashed" }
  // By another model, and by other tabs.
  | { type: "leaving" }
  | { type: "gaveWay"; ran: boolean }
  | { type: "stayed" }
  | { type: "taken"; key: number }
  | { type: "freed"; key: number }
  | { type: "opened"; source: unknown; restored: Restored | null; onTrain: boolean }
  | { type: "adapterAdded"; onTrain: boolean };

export type Effect =
  // Of the engine, whose answers are events.
  | { type: "begin"; attempt: number; afresh: boolean }
  | { type: "train"; key: number; number: number }
  | { type: "pause"; pause: number }
  | { type: "save"; key: number; save: number; quiet: boolean }
  | { type: "sample"; key: number }
  | { type: "askBest"; key: number }
  | { type: "useBest"; key: number; best: boolean }
  | { type: "strength"; value: number }
  // Of the page.
  | { type: "say"; lines: Lines; actions?: Offered[] }
  | { type: "failed"; key: string; error: unknown }
  /** The plan is the run's. */
  | { type: "plan"; run: OpenRun }
  | { type: "replan" }
  | { type: "clearComparison" }
  // Of what is saved.
  | { type: "listRuns" }
  | { type: "openRun"; run: string; goOn: boolean }
  | { type: "offer"; run: string }
  | { type: "dismissOffer" }
  /** The open model is this run from here on. */
  | { type: "name"; run: OpenRun }
  | { type: "persist" }
  | { type: "awaitFree"; key: number; run: string };
