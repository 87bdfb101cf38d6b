// The trace page once the trace is there: header, tools, minimap, waterfall, side panel; and its keys.
import { useState } from 'react';
import type { ViewProps } from '../../base/url';
import { nameOf, rootRow, serviceOf, type Trace } from '../../trace/model';
import { useSize } from '../../widgets/hooks';
import { Splitter } from '../../widgets/Splitter';
import { Header } from './Header';
import { HelpDialog } from './HelpDialog';
import { Minimap } from './Minimap';
import { SidePanel } from './SidePanel';
import { Toolbar } from './Toolbar';
import { useTraceKeys } from './useTraceKeys';
import { useTraceView } from './useTraceView';
import { Waterfall } from './Waterfall';

interface Props extends ViewProps {
  trace: Trace;
  refreshing: boolean;
  onRefresh(): void;
}

export function TraceView({ trace, params, update, refreshing, onRefresh }: Props) {
  const view = useTraceView(trace, params, update);
  const [help, setHelp] = useState(false);
  const [panelWidth, setPanelWidth] = useState(400);
  const [host, { width }] = useSize<HTMLDivElement>();
  useTraceKeys(view, () => setHelp(true));
  const root = rootRow(trace);
  const title = `${serviceOf(trace, root)} ${nameOf(trace, root)}`;
  return (
    <div className="trace-page" ref={host}>
      <title>{`${title} · weft`}</title>
      <Header
        trace={trace}
        refreshing={refreshing}
        onRefresh={onRefresh}
        onHelp={() => setHelp(true)}
        onErrors={() => view.setFind('status=error')}
      />
      <Toolbar view={view} />
      <Minimap view={view} />
      <div className="trace-body">
        <Waterfall view={view} />
        {view.panel && (
          <>
            <Splitter
              label="Width of the side panel"
              value={panelWidth}
              min={280}
              max={Math.max(320, width - 420)}
              direction={-1}
              onChange={setPanelWidth}
            />
            <SidePanel view={view} width={panelWidth} />
          </>
        )}
      </div>
      {help && <HelpDialog onClose={() => setHelp(false)} />}
    </div>
  );
}
