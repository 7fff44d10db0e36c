// What a panel type is: a row of registry.ts.
import type { ComponentType } from "preact";
import type { Theme } from "../model/colors";
import type { Mark } from "../model/annotations";
import type { Panel, Query } from "../model/schema";
import type { Span, Zone } from "../model/time";
import type { Values } from "../model/variables";
import type { PanelData } from "./source";

export interface PanelProps {
  panel: Panel;
  data: PanelData;
  // The range that is shown, which data that are late or fixed may not fill.
  span: Span;
  // When the page was refreshed last, milliseconds since 1970, and how often somebody demanded it: a panel that asks by itself asks again.
  refreshed: { at: number; demanded: number };
  // Whether what happens now belongs into the range.
  endsNow: boolean;
  theme: Theme;
  zone: Zone;
  // Of the variables, for texts and links.
  values: Values;
  // What happened, of those that the panel may draw.
  annotations: readonly Mark[];
  // Shows another range on the whole page.
  onSpan: (span: Span) => void;
}

export interface PanelType {
  type: string;
  // Rows of 40 pixels where the panel says nothing.
  height: number;
  // How it uses them. drawn: it is that high; flows: as high as its content; list: so, and scrolls above the height;
  // fills: that high, and higher beside a higher panel.
  sizing: "drawn" | "flows" | "list" | "fills";
  // Whether it has something to show for these data; without, the panel says what would fill it.
  hasData: (data: PanelData, panel: Panel) => boolean;
  // Whether the newest value of a series stands there as a number, unless options.calc says another.
  newest?: boolean;
  // Whether it draws annotations.
  annotated?: boolean;
  // The queries of a type that brings its own.
  queries?: (panel: Panel) => Query[];
  view: ComponentType<PanelProps>;
}

export const anySeries = (data: PanelData): boolean => data.frames.some((frame) => frame.series.length > 0);
