// The panel beside the waterfall: the selected span, the critical path, or the operations of the trace.
import { Icon } from '../../widgets/Icon';
import { Tabs } from '../../widgets/Tabs';
import { OperationsPanel } from './OperationsPanel';
import { PathPanel } from './PathPanel';
import { SpanPanel } from './SpanPanel';
import type { Panel } from './state';
import type { TraceViewModel } from './useTraceView';

export function SidePanel({ view, width }: { view: TraceViewModel; width: number }) {
  const { panel, selected } = view;
  return (
    <aside
      className="side-panel"
      style={{ '--panel-width': `${width}px` } as React.CSSProperties}
      aria-label="Details"
    >
      <div className="side-head">
        <Tabs<Panel>
          label="Details"
          value={panel!}
          tabs={[
            { value: 'span', label: 'Span' },
            { value: 'path', label: 'Critical path' },
            { value: 'operations', label: 'Operations' },
          ]}
          onChange={view.setPanel}
        />
        <button
          type="button"
          className="icon-button"
          aria-label="Close the panel"
          title="Close (Esc)"
          onClick={() => view.setPanel(undefined)}
        >
          <Icon name="close" />
        </button>
      </div>
      <div className="side-body" role="tabpanel" tabIndex={-1}>
        {panel === 'path' && <PathPanel view={view} />}
        {panel === 'operations' && <OperationsPanel view={view} />}
        {panel === 'span' &&
          (selected === undefined ? (
            <p className="hint">Choose a span to see what it carries.</p>
          ) : (
            <SpanPanel key={selected} view={view} row={selected} />
          ))}
      </div>
    </aside>
  );
}
