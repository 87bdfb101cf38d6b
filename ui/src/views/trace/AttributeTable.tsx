// Attributes as a table: each can be copied, looked for in this trace, or taken as a filter for a new search.
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { formatCount } from '../../base/number';
import { toJson, valueText, type Attribute, type Value } from '../../trace/values';
import { attributeRef, quote, type Scope } from '../../traceql/filter';
import { CopyButton } from '../../widgets/CopyButton';
import { Icon } from '../../widgets/Icon';

interface SectionProps {
  title: string;
  count?: number;
  open: boolean;
  children: ReactNode;
}

export function Section({ title, count, open, children }: SectionProps) {
  if (count === 0) return null;
  return (
    <details className="section" open={open}>
      <summary>
        {title} {count !== undefined && <span className="faint num">{formatCount(count)}</span>}
      </summary>
      {children}
    </details>
  );
}

interface Props {
  attributes: Attribute[];
  /** without it the rows are no attributes, and can only be copied */
  scope?: Scope;
  onFind?(text: string): void;
}

export function AttributeTable({ attributes, scope, onFind }: Props) {
  if (attributes.length === 0) return null;
  return (
    <table className="attributes">
      <tbody>
        {attributes.map(({ key, value }, i) => {
          const text = valueText(value);
          const query = scope && filterFor(scope, key, value);
          return (
            <tr key={`${i}-${key}`}>
              <th scope="row">{breakable(key)}</th>
              <td>
                <ValueView value={value} />
                <span className="attribute-actions">
                  {query && (
                    <Link
                      to="/"
                      search={{ q: query } as never}
                      className="icon-button"
                      aria-label={`Search traces by ${key}`}
                      title="Search traces by this"
                    >
                      <Icon name="filter" size={13} />
                    </Link>
                  )}
                  {onFind && text !== '' && (
                    <button
                      type="button"
                      className="icon-button"
                      aria-label={`Find ${key} in this trace`}
                      title="Find in this trace"
                      onClick={() => onFind(findText(key, text))}
                    >
                      <Icon name="find" size={13} />
                    </button>
                  )}
                  <CopyButton text={text} label={`Copy ${key}`} />
                </span>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

const findText = (key: string, text: string) =>
  /[\s"]/.test(text) ? `"${text.replace(/"/g, '').slice(0, 60)}"` : `${key}=${text}`;

/** A long key may break after its dots, not in the middle of a word. */
const breakable = (key: string) => key.split(/(?<=[._])/).map((part, i) => [i > 0 && <wbr key={i} />, part]);

/** undefined for values that TraceQL cannot compare. */
function filterFor(scope: Scope, key: string, value: Value): string | undefined {
  const ref = attributeRef(scope, key);
  if (value.type === 'string') return `{ ${ref} = ${quote(value.value)} }`;
  if (
    value.type === 'int' ||
    value.type === 'bool' ||
    (value.type === 'double' && Number.isFinite(value.value))
  )
    return `{ ${ref} = ${value.value} }`;
  return undefined;
}

function ValueView({ value }: { value: Value }) {
  if (value.type === 'empty' || (value.type === 'string' && value.value === ''))
    return <span className="faint">empty</span>;
  if (value.type === 'array' || value.type === 'kvlist') return <pre>{layOut(toJson(value))}</pre>;
  if (value.type === 'string') {
    const pretty = prettyJson(value.value);
    if (pretty !== undefined) return <pre>{pretty}</pre>;
    if (/^https?:\/\/\S+$/.test(value.value)) {
      return (
        <a href={value.value} target="_blank" rel="noreferrer noopener">
          {value.value}
        </a>
      );
    }
    return <span className="value">{value.value}</span>;
  }
  return <span className={`value value-${value.type}`}>{valueText(value)}</span>;
}

/** On one line where it fits. */
function layOut(json: unknown): string {
  const line = JSON.stringify(json);
  return line.length <= 40 ? line : JSON.stringify(json, null, 2);
}

function prettyJson(text: string): string | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return layOut(JSON.parse(text));
  } catch {
    return undefined;
  }
}
