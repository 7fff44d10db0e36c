// An answer after a panel's transformations: the tables for those types that draw tables, series for all others.
import type { Transformation } from "../model/schema";
import { framesOf, tablesOf } from "../model/tables/convert";
import { transform } from "../model/tables/transform";
import type { PanelData } from "./source";

export function transformed(data: PanelData, steps: readonly Transformation[]): PanelData {
  const tables = transform(tablesOf(data.frames), steps);
  return { ...data, tables, frames: framesOf(tables, data.frames, data.at) };
}
