// Events of a span with their offsets; exceptions stand first, with their stack.
import { formatDuration } from '../../base/time';
import { exceptionOf, type Exception } from '../../trace/exception';
import { attributesOf } from '../../trace/values';
import { CopyButton } from '../../widgets/CopyButton';
import { AttributeTable, Section } from './AttributeTable';
import { Dropped } from './SpanPanel';
import type { TraceViewModel } from './useTraceView';

export function EventList({
  view,
  row,
  onFind,
}: {
  view: TraceViewModel;
  row: number;
  onFind(text: string): void;
}) {
  const { trace } = view;
  const { events, dictionary, spans } = trace;
  const rows = Array.from(
    { length: trace.firstEvent[row + 1]! - trace.firstEvent[row]! },
    (_, i) => trace.firstEvent[row]! + i,
  );
  const dropped = spans.droppedEvents?.[row];
  if (rows.length === 0 && !dropped) return null;
  const items = rows.map((e) => {
    const name = dictionary[events.name[e]!]!;
    const attributes = attributesOf(events.attributes[e]!, dictionary);
    return {
      e,
      name,
      attributes,
      offset: events.time[e]! - spans.start[row]!,
      exception: exceptionOf(name, attributes),
      dropped: events.droppedAttributes?.[e],
    };
  });
  return (
    <>
      {items.map(({ e, exception }) => exception && <ExceptionView key={e} exception={exception} />)}
      <Section title="Events" count={rows.length || undefined} open>
        <ol className="events">
          {items.map(({ e, name, offset, attributes, exception, dropped: cut }) => (
            <li key={e}>
              <p>
                <span className="num faint" title="after the start of the span">
                  {offset < 0n ? '' : '+'}
                  {formatDuration(offset)}
                </span>{' '}
                <b className={exception ? 'error-text' : ''}>{name}</b>
              </p>
              <AttributeTable
                attributes={
                  exception ? attributes.filter((a) => !a.key.startsWith('exception.')) : attributes
                }
                scope="event"
                onFind={onFind}
              />
              <Dropped count={cut} what="attributes" />
            </li>
          ))}
        </ol>
        <Dropped count={dropped} what="events" />
      </Section>
    </>
  );
}

function ExceptionView({ exception }: { exception: Exception }) {
  return (
    <section className="exception" aria-label="Exception">
      <header>
        <div>
          <b>{exception.type || 'exception'}</b>
          {exception.message && <p>{exception.message}</p>}
        </div>
        <CopyButton
          text={exception.lines.map((l) => l.text).join('\n') || `${exception.type}: ${exception.message}`}
          label="Copy the stack trace"
        />
      </header>
      {exception.lines.length > 0 && (
        <pre tabIndex={0} aria-label="Stack trace">
          {exception.lines.map((line, i) => (
            <span key={i} className={line.heading ? 'heading' : line.foreign ? 'foreign' : ''}>
              {line.text}
              {'\n'}
            </span>
          ))}
        </pre>
      )}
    </section>
  );
}
