// Grid: a table that people sort. Rows keep their order and the reader's sorting through refreshes.
import { useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { byText } from "../../model/order";
import "./grid.css";

export interface Column {
  id: string;
  title: string;
  // Numbers stand to the right.
  numeric?: boolean;
  align?: "left" | "center" | "right";
  // Pixels.
  width?: number;
}

export interface Cell {
  // What the column is sorted by.
  sort: number | string;
  view: ComponentChildren;
}

export interface GridRow {
  key: string;
  cells: Cell[];
  // Stays below all others.
  foot?: boolean;
}

export const textCell = (text: string): Cell => ({ sort: text, view: text });
export const numberCell = (value: number | undefined, text: string): Cell => ({ sort: value ?? -Infinity, view: text });

export interface Sorting {
  column: string;
  down: boolean;
}

export function sortRows(rows: GridRow[], columns: Column[], sorting: Sorting | undefined): GridRow[] {
  const at = columns.findIndex((column) => column.id === sorting?.column);
  const body = rows.filter((row) => !row.foot);
  if (sorting && at >= 0) {
    const turn = sorting.down ? -1 : 1;
    body.sort((one, two) => {
      const a = one.cells[at]?.sort ?? "";
      const b = two.cells[at]?.sort ?? "";
      const order = typeof a === "number" && typeof b === "number" ? (a === b ? 0 : a < b ? -1 : 1)
        : byText(String(a), String(b));
      return order * turn;
    });
  }
  return [...body, ...rows.filter((row) => row.foot)];
}

function styleOf(column: Column | undefined): Record<string, string> | undefined {
  if (column?.align === undefined && column?.width === undefined) return undefined;
  return { ...(column.align ? { textAlign: column.align } : {}), ...(column.width !== undefined ? { width: `${column.width}px` } : {}) };
}

const ROWS_AT_ONCE = 200;

// From so many columns on a table hangs out of a telephone.
const FEW_COLUMNS = 3;

// Where it is as narrow as a telephone, each row is a block, a line for each cell, unless its columns are few. `stacks`: sooner, for tables of long texts.
export function Grid({ columns, rows, label, stacks = false }: { columns: Column[]; rows: GridRow[]; label: string; stacks?: boolean }) {
  const [sorting, setSorting] = useState<Sorting>();
  const [shown, setShown] = useState(ROWS_AT_ONCE);
  const sorted = sortRows(rows, columns, sorting);
  const blocks = stacks || columns.length > FEW_COLUMNS;
  const next = (column: Column): Sorting | undefined => {
    if (sorting?.column !== column.id) return { column: column.id, down: column.numeric === true };
    return sorting.down === (column.numeric === true) ? { column: column.id, down: !sorting.down } : undefined;
  };
  return (
    <div class={`grid-scroll${blocks ? " stacks" : ""}${stacks ? " soon" : ""}`} tabIndex={0} role="region" aria-label={label}>
      <table class="grid">
        <thead>
          <tr>
            {columns.map((column) => {
              const mine = sorting?.column === column.id ? sorting : undefined;
              return (
                <th key={column.id} scope="col" class={column.numeric ? "numeric" : ""} style={styleOf(column)} aria-sort={mine ? (mine.down ? "descending" : "ascending") : "none"}>
                  {column.title !== "" && (
                    <button class="sort" onClick={() => setSorting(next(column))}>
                      {column.title}<span aria-hidden="true">{mine ? (mine.down ? " ▾" : " ▴") : ""}</span>
                    </button>
                  )}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {sorted.slice(0, shown).map((row) => (
            <tr key={row.key} class={row.foot ? "foot" : ""}>
              {row.cells.map((cell, i) => <td key={columns[i]?.id} data-title={columns[i]?.title} class={columns[i]?.numeric ? "numeric" : ""} style={styleOf(columns[i])}>{blocks ? <div>{cell.view}</div> : cell.view}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
      {sorted.length > shown && (
        <p class="note">Showing {shown} of {sorted.length}. <button class="link" onClick={() => setShown(shown + 1000)}>Show more</button></p>
      )}
    </div>
  );
}
