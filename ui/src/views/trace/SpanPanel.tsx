// Everything that one span carries.
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { serviceCss } from '../../base/colour';
import { formatPercent } from '../../base/number';
import { formatDuration, formatIso } from '../../base/time';
import { KINDS, STATUSES, type RawAttributes } from '../../trace/columns';
import { isError, nameOf, serviceOf } from '../../trace/model';
import { attributesOf } from '../../trace/values';
import { CopyButton } from '../../widgets/CopyButton';
import { AttributeTable, Section } from './AttributeTable';
import { EventList } from './EventList';
import type { TraceViewModel } from './useTraceView';
import { fit } from './viewport';
import { MARK_TEXT } from './WaterfallRow';

export function SpanPanel({ view, row }: { view: TraceViewModel; row: number }) {
  const { trace } = view;
  const { spans, dictionary } = trace;
  const service = serviceOf(trace, row);
  const status = STATUSES[spans.status[row]!]!;
  const message = dictionary[spans.statusMessage[row]!]!;
  const duration = spans.duration[row]!;
  const resource = trace.resources[spans.resource[row]!]!;
  const scope = trace.scopes[spans.scope[row]!]!;
  const decode = (raw: RawAttributes) => attributesOf(raw, dictionary);
  const attributes = useMemo(
    () => attributesOf(spans.attributes[row]!, dictionary),
    [spans, dictionary, row],
  );
  const marks = MARK_TEXT.filter(([bit]) => spans.marks[row]! & bit);
  const find = (text: string) => view.setFind(text);
  return (
    <div className="span-panel">
      <div className="span-title">
        <h2>{nameOf(trace, row) || 'no name'}</h2>
        <p>
          <span className="dot" style={{ background: serviceCss(service) }} />{' '}
          <b>{service || 'no service name'}</b>
          <span className="badge">{KINDS[spans.kind[row]!]}</span>
          {status !== 'unset' && (
            <span className={`badge ${isError(trace, row) ? 'badge-error' : ''}`}>{status}</span>
          )}
        </p>
        {message !== '' && (
          <p className={isError(trace, row) ? 'status-message bad' : 'status-message'}>{message}</p>
        )}
        {marks.map(([bit, word, text]) => (
          <p key={bit} className="span-mark">
            <span className="badge badge-warn">{word}</span> {text}
          </p>
        ))}
      </div>
      <dl className="span-facts num">
        <Fact label="Duration">{formatDuration(duration)}</Fact>
        <Fact label="Self time" title="outside of its children">
          {formatDuration(view.self[row]!)}
          {duration > 0n && (
            <span className="faint"> {formatPercent(Number(view.self[row]!) / Number(duration))}</span>
          )}
        </Fact>
        <Fact label="Starts at" title={formatIso(trace.startNs + spans.start[row]!)}>
          +{formatDuration(spans.start[row]!)}
        </Fact>
      </dl>
      <div className="span-actions">
        <button
          type="button"
          className="button"
          onClick={() =>
            view.setZoom(
              fit(
                spans.start[row]!,
                spans.start[row]! + BigInt(Math.round(trace.length[row]!)),
                trace.lengthNs,
              ),
            )
          }
        >
          Zoom here
        </button>
        {spans.parent[row]! >= 0 && (
          <button type="button" className="button" onClick={() => view.select(spans.parent[row]!)}>
            Parent
          </button>
        )}
        <CopyButton text={location.href} label="Copy a link to this span" />
      </div>
      <EventList view={view} row={row} onFind={find} />
      <Section title="Attributes" count={attributes.length} open>
        <AttributeTable attributes={attributes} scope="span" onFind={find} />
        <Dropped count={spans.droppedAttributes?.[row]} what="attributes" />
      </Section>
      <Links view={view} row={row} />
      <Section title="Resource" count={resource.attributes.length / 3} open>
        <AttributeTable attributes={decode(resource.attributes)} scope="resource" onFind={find} />
        <Dropped count={resource.droppedAttributes} what="attributes" />
      </Section>
      <Section title="Scope and ids" open={false}>
        <AttributeTable
          attributes={[
            ['instrumentation', `${dictionary[scope.name]!} ${dictionary[scope.version]!}`.trim()],
            ['span id', spans.id[row]!],
            ['parent id', spans.parentId[row]!],
            ['trace id', trace.traceId],
            ['start', formatIso(trace.startNs + spans.start[row]!)],
            ['end', formatIso(trace.startNs + spans.start[row]! + duration)],
            ['trace state', dictionary[spans.traceState[row]!]!],
            ['flags', spans.flags[row] ? `0x${spans.flags[row]!.toString(16)}` : ''],
          ]
            .filter(([, value]) => value !== '')
            .map(([key, value]) => ({ key: key!, value: { type: 'string' as const, value: value! } }))}
        />
        <AttributeTable attributes={decode(scope.attributes)} scope="instrumentation" />
      </Section>
    </div>
  );
}

function Fact({ label, title, children }: { label: string; title?: string; children: React.ReactNode }) {
  return (
    <div title={title}>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function Dropped({ count, what }: { count: number | undefined; what: string }) {
  return count ? (
    <p className="dropped">
      {count} {what} were dropped by the sender.
    </p>
  ) : null;
}

function Links({ view, row }: { view: TraceViewModel; row: number }) {
  const { trace } = view;
  const first = trace.firstLink[row]!;
  const last = trace.firstLink[row + 1]!;
  const dropped = trace.spans.droppedLinks?.[row];
  if (first === last && !dropped) return null;
  return (
    <Section title="Links" count={last - first} open>
      {Array.from({ length: last - first }, (_, i) => first + i).map((l) => {
        const here = trace.links.traceId[l] === trace.traceId;
        const spanId = trace.links.spanId[l]!;
        return (
          <div key={l} className="link-item">
            <Link
              to="/trace/$traceId"
              params={{ traceId: trace.links.traceId[l]! } as never}
              search={{ span: spanId, panel: 'span' } as never}
              className="mono"
            >
              {here ? 'this trace' : `${trace.links.traceId[l]!.slice(0, 16)}…`} › {spanId}
            </Link>
            <AttributeTable
              attributes={attributesOf(trace.links.attributes[l]!, trace.dictionary)}
              scope="link"
            />
          </div>
        );
      })}
      <Dropped count={dropped} what="links" />
    </Section>
  );
}
