// What this trace is: root, start, length, size, and what is odd about it.
import { Link } from '@tanstack/react-router';
import { serviceCss } from '../../base/colour';
import { formatCount } from '../../base/number';
import { formatDateTime, formatDuration, formatIso } from '../../base/time';
import type { TraceFlag } from '../../trace/columns';
import { nameOf, rootRow, serviceOf, type Trace } from '../../trace/model';
import { CopyButton } from '../../widgets/CopyButton';
import { Icon } from '../../widgets/Icon';

const FLAG_TEXT: Record<TraceFlag, [string, string]> = {
  root_missing: [
    'root missing',
    'No span without a parent has arrived: the first span of this trace is unknown.',
  ],
  orphans: [
    'orphans',
    'Spans name a parent that has not arrived. They are shown as roots, with a broken link.',
  ],
  duplicate_ids: ['duplicate ids', 'Different spans share an id. All of them are kept and marked.'],
  cycles: ['cycle', 'Spans name each other as parents. The circle was cut where the mark is.'],
  fragment: ['fragment', 'Only a part of this trace is here.'],
  clock_skew: [
    'clock skew',
    'Spans start before their parents: the clocks of their machines differ. Times are shown as received.',
  ],
};

interface Props {
  trace: Trace;
  refreshing: boolean;
  onRefresh(): void;
  onHelp(): void;
  onErrors(): void;
}

export function Header({ trace, refreshing, onRefresh, onHelp, onErrors }: Props) {
  const root = rootRow(trace);
  const service = serviceOf(trace, root);
  return (
    <header className="trace-header">
      <h1>
        <span className="dot" style={{ background: serviceCss(service) }} />
        <span className="trace-service">{service || 'no service name'}</span>
        <span className="trace-name">{nameOf(trace, root) || 'no name'}</span>
      </h1>
      <dl className="facts">
        <Fact label="Duration">{formatDuration(trace.lengthNs)}</Fact>
        <Fact label="Started" title={formatIso(trace.startNs)}>
          {formatDateTime(trace.startNs)}
        </Fact>
        <Fact label="Spans">{formatCount(trace.count)}</Fact>
        <Fact label="Services">{formatCount(trace.services.length)}</Fact>
        <Fact label="Depth">{formatCount(trace.depthMax + 1)}</Fact>
        {trace.errorCount > 0 && (
          <Fact label="Errors">
            <button
              type="button"
              className="link-button error-text"
              title="Find them in this trace"
              onClick={onErrors}
            >
              {formatCount(trace.errorCount)}
            </button>
          </Fact>
        )}
      </dl>
      <div className="trace-flags">
        {trace.flags.map((flag) => (
          <span key={flag} className="badge badge-warn" title={FLAG_TEXT[flag][1]} tabIndex={0}>
            {FLAG_TEXT[flag][0]}
          </span>
        ))}
      </div>
      <div className="trace-actions">
        <span className="mono faint" title={trace.traceId}>
          {trace.traceId.slice(0, 8)}…
        </span>
        <CopyButton text={trace.traceId} label="Copy trace id" />
        <button
          type="button"
          className="icon-button"
          aria-label="Load again"
          title="Load again"
          onClick={onRefresh}
          disabled={refreshing}
        >
          <Icon name="refresh" />
        </button>
        <a
          className="icon-button"
          href={`/api/v1/traces/${trace.traceId}?format=otlp`}
          download={`${trace.traceId}.json`}
          aria-label="Download as OTLP JSON"
          title="Download as OTLP JSON"
        >
          <Icon name="download" />
        </a>
        <Link
          className="icon-button"
          to="/"
          search={
            {
              q: `{ resource.service.name = ${JSON.stringify(service)} && name = ${JSON.stringify(nameOf(trace, root))} }`,
            } as never
          }
          aria-label="Find traces like this"
          title="Find traces like this"
        >
          <Icon name="search" />
        </Link>
        <button type="button" className="icon-button" aria-label="Keys" title="Keys (?)" onClick={onHelp}>
          <Icon name="help" />
        </button>
      </div>
    </header>
  );
}

function Fact({ label, title, children }: { label: string; title?: string; children: React.ReactNode }) {
  return (
    <div title={title}>
      <dt>{label}</dt>
      <dd className="num">{children}</dd>
    </div>
  );
}
