// The part of TraceQL that the search form can express: one spanset filter whose conditions are all joined by &&.
//
// parseFilter and printFilter are inverse: a text is "expressible" when every part of it has a place in a Filter, so the
// form never drops what the user wrote. Everything else belongs to the text alone.
import { parser } from '@grafana/lezer-traceql';
import type { SyntaxNode } from '@lezer/common';
import { durationLiteral, parseDuration } from '../base/time';

export const OPERATORS = ['=', '!=', '=~', '!~', '>', '>=', '<', '<='] as const;
export type Operator = (typeof OPERATORS)[number];

export interface Condition {
  /** as TraceQL writes it: span.http.route, .customer, kind */
  key: string;
  op: Operator;
  /** as TraceQL writes it: "text", 500, 1.5, true, nil, 10ms, error */
  literal: string;
}

export interface Filter {
  service: string;
  operation: string;
  status: '' | 'ok' | 'error' | 'unset';
  /** ns */
  minDuration?: bigint;
  maxDuration?: bigint;
  conditions: Condition[];
}

export const EMPTY_FILTER: Filter = { service: '', operation: '', status: '', conditions: [] };

export function printFilter(filter: Filter): string {
  const parts: string[] = [];
  if (filter.service) parts.push(`resource.service.name = ${quote(filter.service)}`);
  if (filter.operation) parts.push(`name = ${quote(filter.operation)}`);
  if (filter.status) parts.push(`status = ${filter.status}`);
  if (filter.minDuration !== undefined) parts.push(`duration >= ${durationLiteral(filter.minDuration)}`);
  if (filter.maxDuration !== undefined) parts.push(`duration <= ${durationLiteral(filter.maxDuration)}`);
  for (const { key, op, literal } of filter.conditions) parts.push(`${key} ${op} ${literal}`);
  return parts.length === 0 ? '{}' : `{ ${parts.join(' && ')} }`;
}

/** undefined when the form cannot express the text (or it is not TraceQL at all). */
export function parseFilter(text: string): Filter | undefined {
  if (text.trim() === '') return { ...EMPTY_FILTER };
  const conditions = conjunction(text);
  if (!conditions) return undefined;
  const filter: Filter = { ...EMPTY_FILTER, conditions: [] };
  for (const condition of conditions) if (!takeField(filter, condition)) filter.conditions.push(condition);
  return filter;
}

/** Puts a condition into the field of the form made for it, when that is free. */
function takeField(filter: Filter, { key, op, literal }: Condition): boolean {
  if (op === '=' && key === 'resource.service.name' && !filter.service && literal.startsWith('"')) {
    filter.service = unquote(literal);
    return filter.service !== '';
  }
  if (op === '=' && key === 'name' && !filter.operation && literal.startsWith('"')) {
    filter.operation = unquote(literal);
    return filter.operation !== '';
  }
  if (op === '=' && key === 'status' && !filter.status && /^(ok|error|unset)$/.test(literal)) {
    filter.status = literal as Filter['status'];
    return true;
  }
  const ns = key === 'duration' ? parseDuration(literal) : undefined;
  if (ns === undefined) return false;
  if (op === '>=' && filter.minDuration === undefined) filter.minDuration = ns;
  else if (op === '<=' && filter.maxDuration === undefined) filter.maxDuration = ns;
  else return false;
  return true;
}

const LITERAL =
  /^("(?:[^"\\]|\\.)*"|-?\d+(\.\d+)?(e[-+]?\d+)?|(\d+(\.\d+)?(ns|us|µs|ms|s|m|h|d))+|true|false|nil|ok|error|unset|unspecified|internal|server|client|producer|consumer)$/;

/** The grammar lets a minus swallow the && after it; masked by a digit of the same length, the tree is right. */
const maskMinus = (text: string) => text.replace(/([=<>]\s*)-(?=[\d.])/g, '$10');

function conjunction(text: string): Condition[] | undefined {
  const tree = parser.parse(maskMinus(text));
  let broken = false;
  tree.iterate({ enter: (node) => void (broken ||= node.type.isError || node.name.endsWith('Comment')) });
  if (broken) return undefined;
  let node: SyntaxNode | null = tree.topNode.firstChild;
  for (const name of ['SpansetPipelineExpression', 'SpansetPipeline', 'SpansetFilter']) {
    if (!node || node.name !== name || node.nextSibling || node.from !== firstChar(text)) return undefined;
    if (name === 'SpansetFilter') break;
    node = node.firstChild;
  }
  const inner = node!.firstChild;
  if (inner?.nextSibling) return undefined;
  const out: Condition[] = [];
  return !inner || collect(text, inner, out) ? out : undefined;
}

/** False while the text cannot be read at all: half-written, or not TraceQL. */
export function isReadable(text: string): boolean {
  let broken = false;
  parser.parse(maskMinus(text)).iterate({ enter: (node) => void (broken ||= node.type.isError) });
  return !broken;
}

const firstChar = (text: string) => text.length - text.trimStart().length;

function collect(text: string, node: SyntaxNode, out: Condition[]): boolean {
  const [left, middle, right, more] = [0, 1, 2, 3].map((i) => childAt(node, i));
  if (node.name !== 'FieldExpression' || !left || !middle || !right || more) return false;
  if (text[node.from] === '(') return false;
  if (middle.name === 'And') return collect(text, left, out) && collect(text, right, out);
  if (middle.name !== 'FieldOp') return false;
  const key = text.slice(left.from, left.to);
  const op = text.slice(middle.from, middle.to) as Operator;
  const literal = text.slice(right.from, right.to);
  const field = left.firstChild?.name;
  if ((field !== 'AttributeField' && field !== 'IntrinsicField') || /[\s(]/.test(key.replace(/"[^"]*"/g, '')))
    return false;
  if (!OPERATORS.includes(op) || !LITERAL.test(literal)) return false;
  out.push({ key, op, literal });
  return true;
}

function childAt(node: SyntaxNode, index: number): SyntaxNode | null {
  let child = node.firstChild;
  for (let i = 0; i < index && child; i++) child = child.nextSibling;
  return child;
}

export function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n').replace(/\t/g, '\\t').replace(/\r/g, '\\r')}"`;
}

export function unquote(literal: string): string {
  const escapes: Record<string, string> = { n: '\n', t: '\t', r: '\r' };
  return literal.slice(1, -1).replace(/\\(.)/g, (_, c: string) => escapes[c] ?? c);
}

export type Scope = 'span' | 'resource' | 'event' | 'link' | 'instrumentation';

/** span.http.route; with quotes where the key needs them: span."foo bar". */
export function attributeRef(scope: Scope | '', key: string): string {
  return `${scope}.${/^[^\s{}()=~!<>&|^,"]+$/.test(key) ? key : quote(key)}`;
}

/** What a value field of the form shows for a literal: strings bare unless that would read as another type. */
export function literalToText(literal: string): string {
  if (!literal.startsWith('"')) return literal;
  const bare = unquote(literal);
  return LITERAL.test(bare) || bare !== bare.trim() || bare === '' ? literal : bare;
}

/** The way back: text that reads as a number, a boolean or another literal is that, the rest is a string. */
export function textToLiteral(text: string): string {
  const trimmed = text.trim();
  return LITERAL.test(trimmed) ? trimmed : quote(trimmed);
}
