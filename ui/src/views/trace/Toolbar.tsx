// Search within the trace, critical path, collapse, zoom, and what the side panel shows.
import { formatCount, plural } from '../../base/number';
import { Icon } from '../../widgets/Icon';
import type { TraceViewModel } from './useTraceView';
import { stepMatch } from './useTraceKeys';

export function Toolbar({ view }: { view: TraceViewModel }) {
  const { trace, matches, selected, collapse } = view;
  const position = matches && selected !== undefined ? matches.indexOf(selected) : -1;
  const level = (step: number) => {
    const now = collapse.level ?? trace.depthMax;
    const next = Math.max(0, Math.min(trace.depthMax, now + step));
    view.setCollapse({ level: next >= trace.depthMax ? undefined : next, toggled: new Set() });
  };
  return (
    <div className="toolbar" role="toolbar" aria-label="Trace tools">
      <div className="find" role="search">
        <Icon name="search" />
        <input
          id="trace-find"
          aria-label="Search in this trace"
          placeholder="Find in trace  /"
          value={view.find}
          spellCheck={false}
          onChange={(e) => view.setFind(e.target.value)}
          onKeyDown={(e) => {
            if (e.key === 'Enter') {
              e.preventDefault();
              stepMatch(view, e.shiftKey ? -1 : 1);
            }
          }}
        />
        {view.find !== '' && (
          <>
            <span className="find-count num" role="status">
              {matches && matches.length > 0 && position >= 0 ? `${formatCount(position + 1)} of ` : ''}
              {plural(matches?.length ?? 0, 'match', 'matches')}
            </span>
            <button
              type="button"
              className="icon-button"
              aria-label="Previous match"
              title="Previous match (N)"
              disabled={!matches?.length}
              onClick={() => stepMatch(view, -1)}
            >
              <Icon name="up" />
            </button>
            <button
              type="button"
              className="icon-button"
              aria-label="Next match"
              title="Next match (n)"
              disabled={!matches?.length}
              onClick={() => stepMatch(view, 1)}
            >
              <Icon name="down" />
            </button>
            <button
              type="button"
              className="icon-button"
              aria-label="Clear the search"
              title="Clear"
              onClick={() => view.setFind('')}
            >
              <Icon name="close" />
            </button>
          </>
        )}
      </div>
      <button
        type="button"
        className="button"
        aria-pressed={view.path}
        title="Critical path (c)"
        onClick={() => view.setPath(!view.path)}
      >
        <Icon name="path" /> Critical path
      </button>
      <button
        type="button"
        className="button"
        aria-pressed={view.panel === 'operations'}
        title="Operations (o)"
        onClick={() => view.setPanel(view.panel === 'operations' ? undefined : 'operations')}
      >
        <Icon name="list" /> Operations
      </button>
      <div className="toolbar-group" role="group" aria-label="Collapse">
        <button
          type="button"
          className="icon-button"
          aria-label="Collapse one level"
          title="Collapse one level"
          onClick={() => level(-1)}
        >
          <Icon name="minus" />
        </button>
        <button
          type="button"
          className="icon-button"
          aria-label="Expand one level"
          title="Expand one level"
          onClick={() => level(1)}
        >
          <Icon name="plus" />
        </button>
      </div>
      <span className="faint num toolbar-rows">
        {view.visible.length < trace.count &&
          `${formatCount(view.visible.length)} of ${plural(trace.count, 'span')} shown`}
      </span>
      {view.zoom && (
        <button
          type="button"
          className="button"
          title="Show the whole trace (0)"
          onClick={() => view.setZoom(undefined)}
        >
          <Icon name="zoom" /> Whole trace
        </button>
      )}
    </div>
  );
}
