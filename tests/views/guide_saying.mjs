// @ts-check
// What must hold of whatever a step of the guide says.
import assert from "node:assert/strict";

/**
 * Holds that a step says something, in whole sentences, with one right answer.
 * @param {string} chapter @param {import("../../www/guide/types.js").Step} step
 * @param {import("../../www/guide/types.js").Facts} facts
 * @param {(key: string, params?: Record<string, string | number>) => string} t
 */
export function check(chapter, step, facts, t) {
  const where = `${chapter}.${step.id}`;
  const said = step.say(facts);
  assert.ok(said, `${where} says nothing`);
  const { blanks, choices, formula, note, variant = "" } = said;
  for (const part of ["title", "text", "ask", "why"]) {
    const key = `guide.${chapter}.${step.id}.${part}`;
    const words = t(step.variants?.[variant]?.includes(part) ? `${key}.${variant}` : key, blanks);
    assert.doesNotMatch(words, /\{\w+\}|NaN|undefined|Infinity|\[object|^…$/, `${where} ${part}: ${words}`);
  }
  if (note) assert.doesNotMatch(t(note, blanks), /\{\w+\}|NaN|undefined|^…$/, `${where} note`);
  assert.doesNotMatch(formula, /NaN|undefined|Infinity/, `${where}: ${formula}`);
  assert.ok(choices.length >= 2, `${where}: ${JSON.stringify(choices)}`);
  assert.equal(choices.filter(({ right }) => right).length, 1, where);
  assert.equal(new Set(choices.map(({ label }) => label)).size, choices.length, where);
}
