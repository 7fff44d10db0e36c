import { expect, it } from "vitest";
import { byText } from "./order";

it("numbers in names count", () => expect(["cpu10", "cpu2", "Cpu1", "b"].sort(byText)).toEqual(["b", "Cpu1", "cpu2", "cpu10"]));
