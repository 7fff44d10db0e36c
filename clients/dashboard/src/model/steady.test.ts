import { expect, it } from "vitest";
import { PATIENCE_MS, Steady } from "./steady";

// Questions that are answered when the test says so.
function asker() {
  let time = 0;
  const steady = new Steady(() => time);
  const open: { name: string; answer: () => void }[] = [];
  const shown: string[] = [];
  const ask = (key: string, name: string) =>
    steady.ask(key, (signal) => new Promise<void>((resolve) => open.push({ name, answer: () => { if (!signal.aborted) shown.push(name); resolve(); } })));
  const answer = async (name: string) => {
    open.splice(open.findIndex((one) => one.name === name), 1)[0]?.answer();
    await Promise.resolve();
    await Promise.resolve();
  };
  return { steady, open, shown, ask, answer, pass: (ms: number) => { time += ms; } };
}

it("shows each answer although all take longer than a refresh", async () => {
  const { ask, answer, open, shown } = asker();
  ask("q", "first");
  ask("q", "second");
  ask("q", "third");
  expect(open.map((one) => one.name)).toEqual(["first"]);
  await answer("first");
  expect(shown).toEqual(["first"]);
  expect(open.map((one) => one.name)).toEqual(["third"]);
  await answer("third");
  expect(shown).toEqual(["first", "third"]);
  expect(open).toEqual([]);
});

it("asks another question at once, and takes no answer to the one before", async () => {
  const { ask, answer, open, shown } = asker();
  ask("q", "old");
  ask("q", "old, later");
  ask("r", "new");
  expect(open.map((one) => one.name)).toEqual(["old", "new"]);
  await answer("old");
  await answer("new");
  expect(shown).toEqual(["new"]);
  expect(open).toEqual([]);
});

it("does not wait for ever, and never goes back", async () => {
  const { ask, answer, open, shown, pass } = asker();
  ask("q", "hangs");
  pass(PATIENCE_MS);
  ask("q", "again");
  expect(open.map((one) => one.name)).toEqual(["hangs", "again"]);
  await answer("again");
  await answer("hangs");
  expect(shown).toEqual(["again"]);
});

it("takes nothing after its end", async () => {
  const { steady, ask, answer, open, shown } = asker();
  ask("q", "one");
  ask("q", "two");
  steady.stop();
  await answer("one");
  expect(shown).toEqual([]);
  expect(open).toEqual([]);
});
