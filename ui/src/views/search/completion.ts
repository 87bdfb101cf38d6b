// What to offer at the cursor: keys from /attributes and the intrinsics, values from /attribute-values.
import type {
  Completion,
  CompletionContext,
  CompletionResult,
  CompletionSource,
} from '@codemirror/autocomplete';
import type { QueryClient } from '@tanstack/react-query';
import { formatCount } from '../../base/number';
import type { RangeText } from '../../base/range';
import { attributesQuery, attributeValuesQuery } from '../../client/queries';
import { contextAt, INTRINSICS, operatorsFor } from '../../traceql/context';
import { attributeRef, quote } from '../../traceql/filter';

export function completionSource(client: QueryClient, range: () => RangeText): CompletionSource {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const at = contextAt(context.state.doc.toString(), context.pos);
    switch (at.kind) {
      case 'key':
        if (at.prefix === '' && !context.explicit) return null;
        return { from: at.from, options: await keys(client, range()), validFor: /^[\w.:"-]*$/ };
      case 'operator': {
        const type = INTRINSICS.find((i) => i.name === at.key)?.type;
        return { from: at.from, options: operatorsFor(type).map((label) => ({ label, apply: `${label} ` })) };
      }
      case 'value':
        return {
          from: at.from,
          options: await values(client, at.key, at.prefix, at.quoted, range()),
          filter: false,
        };
      case 'joiner':
        return {
          from: at.from,
          options: [
            { label: '&&', apply: '&& ' },
            { label: '||', apply: '|| ' },
          ],
        };
      default:
        return null;
    }
  };
}

async function keys(client: QueryClient, range: RangeText): Promise<Completion[]> {
  const attributes = await client.fetchQuery(attributesQuery(range)).catch(() => []);
  return [
    ...INTRINSICS.map(({ name, about }) => ({ label: name, detail: about, apply: `${name} `, boost: 1 })),
    ...attributes.map(({ scope, key, types }) => {
      const label = attributeRef(scope, key);
      return { label, detail: types.join(', '), apply: `${label} ` };
    }),
  ];
}

const WORDS: Record<string, string[]> = {
  status: ['error', 'ok', 'unset'],
  kind: ['server', 'client', 'internal', 'producer', 'consumer', 'unspecified'],
  duration: ['10ms', '100ms', '500ms', '1s', '5s'],
  traceDuration: ['100ms', '500ms', '1s', '5s', '30s'],
};

async function values(
  client: QueryClient,
  key: string,
  prefix: string,
  quoted: boolean,
  range: RangeText,
): Promise<Completion[]> {
  const words = WORDS[key];
  if (words) return words.filter((w) => w.startsWith(prefix)).map((label) => ({ label, apply: `${label} ` }));
  const answer = await client.fetchQuery(attributeValuesQuery(key, prefix, range)).catch(() => undefined);
  return (answer?.values ?? []).map(({ type, value, count }) => {
    const literal = type === 'string' ? quote(value) : value;
    return {
      label: literal,
      detail: formatCount(count),
      apply: (view, _, from, to) => {
        // A closing quote that was put in by closeBrackets() is written over.
        const end = quoted && view.state.sliceDoc(to, to + 1) === '"' ? to + 1 : to;
        const insert = `${literal} `;
        view.dispatch({
          changes: { from, to: end, insert },
          selection: { anchor: from + insert.length },
          userEvent: 'input.complete',
        });
      },
    };
  });
}
