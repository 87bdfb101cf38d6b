// The keys of the trace page; HelpDialog lists them.
import { isCollapsed, positionOf } from '../../trace/rows';
import { isError } from '../../trace/model';
import { useHotkeys } from '../../widgets/hooks';
import type { TraceViewModel } from './useTraceView';
import { fit, panBy, zoomBy } from './viewport';

export function useTraceKeys(view: TraceViewModel, openHelp: () => void): void {
  const { trace, visible, window, selected, collapse } = view;
  const length = trace.lengthNs;
  const at = selected === undefined ? -1 : positionOf(visible, selected);
  const move = (step: number) => view.select(visible[Math.max(0, Math.min(visible.length - 1, at + step))]!);
  const hasChildren = selected !== undefined && trace.childCount[selected]! > 0;
  const closed = selected !== undefined && isCollapsed(trace, collapse, selected);
  const next = () => stepMatch(view, 1);
  const previous = () => stepMatch(view, -1);
  useHotkeys({
    j: () => move(1),
    ArrowDown: () => move(1),
    k: () => move(at < 0 ? 0 : -1),
    ArrowUp: () => move(at < 0 ? 0 : -1),
    PageDown: () => move(20),
    PageUp: () => move(-20),
    g: () => view.select(visible[0]!),
    Home: () => view.select(visible[0]!),
    G: () => view.select(visible[visible.length - 1]!),
    End: () => view.select(visible[visible.length - 1]!),
    ArrowRight: () => {
      if (hasChildren && closed) view.toggleRow(selected);
      else if (hasChildren) view.select(selected + 1);
    },
    ArrowLeft: () => {
      if (selected === undefined) return;
      if (hasChildren && !closed) view.toggleRow(selected);
      else if (trace.spans.parent[selected]! >= 0) view.select(trace.spans.parent[selected]!);
    },
    Enter: () =>
      selected === undefined ? move(1) : view.setPanel(view.panel === 'span' ? undefined : 'span'),
    ' ': () => hasChildren && view.toggleRow(selected),
    '/': () => document.querySelector<HTMLElement>('#trace-find')?.focus(),
    n: next,
    N: previous,
    e: () => stepRows(view, 1, (row) => isError(trace, row)),
    E: () => stepRows(view, -1, (row) => isError(trace, row)),
    c: () => view.setPath(!view.path),
    o: () => view.setPanel(view.panel === 'operations' ? undefined : 'operations'),
    '[': () => view.setCollapse({ level: 1, toggled: new Set() }),
    ']': () => view.setCollapse({ level: undefined, toggled: new Set() }),
    z: () => {
      if (selected === undefined) return;
      const start = trace.spans.start[selected]!;
      view.setZoom(fit(start, start + BigInt(Math.round(trace.length[selected]!)), length));
    },
    '+': () => view.setZoom(zoomBy(window, length, 0.5)),
    '=': () => view.setZoom(zoomBy(window, length, 0.5)),
    '-': () => view.setZoom(zoomBy(window, length, 2)),
    '0': () => view.setZoom(undefined),
    a: () => view.setZoom(view.zoom && panBy(window, length, -0.2)),
    d: () => view.setZoom(view.zoom && panBy(window, length, 0.2)),
    '?': openHelp,
    '!Escape': (event) => {
      if ((event.target as HTMLElement).id === 'trace-find') (event.target as HTMLElement).blur();
      else if (view.panel) view.setPanel(undefined);
      else if (view.zoom) view.setZoom(undefined);
      else if (selected !== undefined) view.select(undefined);
    },
  });
}

/** Selects the next (previous) match after the selected row, and starts over at the other end. */
export function stepMatch(view: TraceViewModel, step: 1 | -1): void {
  const { matches } = view;
  if (!matches || matches.length === 0) return;
  const from = view.selected ?? (step === 1 ? -1 : Infinity);
  if (step === 1) view.select(matches.find((row) => row > from) ?? matches[0]!);
  else view.select(matches.findLast((row) => row < from) ?? matches[matches.length - 1]!);
}

function stepRows(view: TraceViewModel, step: 1 | -1, wanted: (row: number) => boolean): void {
  const { count } = view.trace;
  let row = view.selected ?? (step === 1 ? -1 : count);
  for (let tried = 0; tried < count; tried++) {
    row = (row + step + count) % count;
    if (wanted(row)) return view.select(row, 'span');
  }
}
