import { afterEach, expect, it } from "vitest";
import { joinCrosshair, lead, leaveCrosshair, release } from "./crosshair";

function chart() {
  const seen: (number | undefined)[] = [];
  const one = { seen, follow: (time: number | undefined) => void seen.push(time) };
  joinCrosshair(one);
  return one;
}

const made: ReturnType<typeof chart>[] = [];
const three = () => {
  made.push(chart(), chart(), chart());
  return made as [ReturnType<typeof chart>, ReturnType<typeof chart>, ReturnType<typeof chart>];
};
afterEach(() => { for (const one of made.splice(0)) leaveCrosshair(one); });

it("the others follow, once for each moment", () => {
  const [a, b, c] = three();
  lead(a, 10);
  lead(a, 10);
  lead(a, 20);
  release(a);
  expect([a.seen, b.seen, c.seen]).toEqual([[], [10, 20, undefined], [10, 20, undefined]]);
});

it("who does not lead takes nothing away", () => {
  const [a, b] = three();
  lead(a, 10);
  release(b);
  expect(b.seen).toEqual([10]);
});

it("a chart that is taken down while it leads lets go", () => {
  const [a, b, c] = three();
  lead(a, 10);
  lead(c, 30);
  leaveCrosshair(c);
  lead(b, 40);
  expect([a.seen, c.seen]).toEqual([[30, undefined, 40], [10]]);
});
