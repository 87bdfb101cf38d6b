// Which rows are on the screen: collapse and expand over preorder rows.
import type { Trace } from './model';

/** Every span at depth >= level starts collapsed; the rows in `toggled` are the other way round. */
export interface Collapse {
  level: number | undefined;
  toggled: ReadonlySet<number>;
}

export function isCollapsed(trace: Trace, collapse: Collapse, row: number): boolean {
  if (trace.childCount[row] === 0) return false;
  const byLevel = collapse.level !== undefined && trace.depth[row]! >= collapse.level;
  return byLevel !== collapse.toggled.has(row);
}

/** The visible rows in order. */
export function visibleRows(trace: Trace, collapse: Collapse): Int32Array {
  const out = new Int32Array(trace.count);
  let n = 0;
  for (let row = 0; row < trace.count; row++) {
    out[n++] = row;
    if (isCollapsed(trace, collapse, row)) row += trace.spans.subtreeSize[row]!;
  }
  return out.subarray(0, n);
}

/** Position of row in `visible`, or of the visible ancestor that hides it. Rows ascend, so this is a binary search. */
export function positionOf(visible: Int32Array, row: number): number {
  let low = 0;
  let high = visible.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (visible[middle]! <= row) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Opens every ancestor of row. */
export function reveal(trace: Trace, collapse: Collapse, row: number): Collapse {
  const toggled = new Set(collapse.toggled);
  for (let up = trace.spans.parent[row]!; up >= 0; up = trace.spans.parent[up]!) {
    if (!isCollapsed(trace, { level: collapse.level, toggled }, up)) continue;
    if (toggled.has(up)) toggled.delete(up);
    else toggled.add(up);
  }
  return { level: collapse.level, toggled };
}

export function toggle(collapse: Collapse, row: number): Collapse {
  const toggled = new Set(collapse.toggled);
  if (!toggled.delete(row)) toggled.add(row);
  return { level: collapse.level, toggled };
}
