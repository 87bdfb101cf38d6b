// Everything the trace page derives from the trace and the URL, each thing once; and the actions that change the URL.
import { useCallback, useDeferredValue, useMemo } from 'react';
import type { UpdateUrl, UrlParams } from '../../base/url';
import { criticalPath, sectionsByRow, type Section } from '../../trace/criticalPath';
import type { Trace } from '../../trace/model';
import { positionOf, reveal, toggle, visibleRows, type Collapse } from '../../trace/rows';
import { searchTrace } from '../../trace/search';
import { selfTimes } from '../../trace/selfTime';
import { collapsePatch, keyOf, readState, zoomPatch, type Panel, type TraceState } from './state';
import type { Window } from './viewport';

export interface TraceViewModel extends TraceState {
  trace: Trace;
  visible: Int32Array;
  window: Window;
  matches: Int32Array | undefined;
  isMatch: Uint8Array | undefined;
  sections: Section[];
  sectionsOf: Map<number, Section[]> | undefined;
  self: BigInt64Array;
  /** lines of the tree: only while levels are wide enough to tell them apart */
  guides: boolean;
  select(row: number | undefined, panel?: Panel): void;
  setZoom(zoom: Window | undefined): void;
  setFind(text: string): void;
  setCollapse(collapse: Collapse): void;
  toggleRow(row: number): void;
  setPath(on: boolean): void;
  setPanel(panel: Panel | undefined): void;
}

export function useTraceView(trace: Trace, params: UrlParams, update: UpdateUrl): TraceViewModel {
  const state = useMemo(() => readState(params, trace), [params, trace]);
  const { zoom, path } = state;
  const collapseKey = `${params.level ?? ''}/${params.fold ?? ''}`;
  // The set is new for every URL; what hangs on it is not.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const collapse = useMemo(() => state.collapse, [trace, collapseKey]);
  const visible = useMemo(() => visibleRows(trace, collapse), [trace, collapse]);
  const find = useDeferredValue(state.find);
  const matches = useMemo(() => searchTrace(trace, find), [trace, find]);
  const isMatch = useMemo(() => {
    if (!matches) return undefined;
    const out = new Uint8Array(trace.count);
    for (const row of matches) out[row] = 1;
    return out;
  }, [trace, matches]);
  const sections = useMemo(() => criticalPath(trace), [trace]);
  const sectionsOf = useMemo(
    () => (path ? sectionsByRow(sections, (row) => visible[positionOf(visible, row)]!) : undefined),
    [path, sections, visible],
  );
  const self = useMemo(() => selfTimes(trace), [trace]);
  const window = useMemo(
    () => zoom ?? { from: 0n, to: trace.lengthNs > 0n ? trace.lengthNs : 1n },
    [zoom, trace],
  );

  const setCollapse = useCallback((next: Collapse) => update(collapsePatch(trace, next)), [trace, update]);
  const select = useCallback(
    (row: number | undefined, panel?: Panel) => {
      if (row === undefined) return update({ span: undefined });
      const opened = reveal(trace, collapse, row);
      const changed = opened.toggled.size !== collapse.toggled.size;
      update({
        span: keyOf(trace, row),
        ...(panel ? { panel } : {}),
        ...(changed ? collapsePatch(trace, opened) : {}),
      });
    },
    [trace, collapse, update],
  );
  return {
    ...state,
    trace,
    collapse,
    visible,
    window,
    matches,
    isMatch,
    sections,
    sectionsOf,
    self,
    guides: trace.depthMax <= 30,
    select,
    setCollapse,
    setZoom: useCallback((next) => update(zoomPatch(next)), [update]),
    setFind: useCallback((text) => update({ find: text || undefined }), [update]),
    toggleRow: useCallback((row) => setCollapse(toggle(collapse, row)), [collapse, setCollapse]),
    setPath: useCallback(
      (on) => update({ path: on ? '1' : undefined, ...(on ? { panel: 'path' } : {}) }),
      [update],
    ),
    setPanel: useCallback((panel) => update({ panel }), [update]),
  };
}
