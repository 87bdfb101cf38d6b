// The TraceQL editor: CodeMirror with the TraceQL grammar, completion from the server, errors underlined.
import { autocompletion, closeBrackets, completionKeymap, startCompletion } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { HighlightStyle, LanguageSupport, LRLanguage, syntaxHighlighting } from '@codemirror/language';
import { setDiagnostics } from '@codemirror/lint';
import { EditorState, Prec } from '@codemirror/state';
import { EditorView, keymap, placeholder } from '@codemirror/view';
import { parser } from '@grafana/lezer-traceql';
import { styleTags, tags } from '@lezer/highlight';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import type { RangeText } from '../../base/range';
import type { ApiError } from '../../client/api';
import { completionSource } from './completion';

const language = LRLanguage.define({
  parser: parser.configure({
    props: [
      styleTags({
        String: tags.string,
        'Integer Float Duration': tags.number,
        'IntrinsicField Parent': tags.keyword,
        'Identifier Span Resource Event Link Instrumentation': tags.propertyName,
        'FieldOp ComparisonOp ScalarOp And Or Pipe': tags.operator,
        'Aggregate GroupOperation SelectOperation CoalesceOperation MetricsOperation': tags.function(
          tags.name,
        ),
        'LineComment BlockComment': tags.comment,
      }),
    ],
  }),
});

const style = HighlightStyle.define([
  { tag: tags.string, color: 'light-dark(#2b7a2f, #8fd48f)' },
  { tag: tags.number, color: 'light-dark(#7a3fb0, #c9a2f2)' },
  { tag: tags.keyword, color: 'light-dark(#0b7285, #4cc3d9)' },
  { tag: tags.propertyName, color: 'light-dark(#1f4f96, #93bdf5)' },
  { tag: tags.operator, color: 'var(--muted)' },
  { tag: tags.comment, color: 'var(--faint)', fontStyle: 'italic' },
]);

interface Props {
  text: string;
  range: RangeText;
  error?: ApiError;
  onChange(text: string): void;
  onAsk(text: string): void;
}

export function QueryEditor({ text, range, error, onChange, onAsk }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const queryClient = useQueryClient();
  const latest = useRef({ onChange, onAsk, range });
  useEffect(() => {
    latest.current = { onChange, onAsk, range };
  });

  useEffect(() => {
    const ask = (editor: EditorView) => {
      latest.current.onAsk(editor.state.doc.toString());
      return true;
    };
    const editor = new EditorView({
      parent: host.current!,
      state: EditorState.create({
        doc: '',
        extensions: [
          Prec.high(
            keymap.of([...completionKeymap, { key: 'Enter', run: ask }, { key: 'Mod-Enter', run: ask }]),
          ),
          keymap.of([{ key: 'Shift-Enter', run: (v) => (v.dispatch(v.state.replaceSelection('\n')), true) }]),
          keymap.of([...historyKeymap, ...defaultKeymap]),
          history(),
          closeBrackets(),
          new LanguageSupport(language),
          syntaxHighlighting(style),
          autocompletion({
            override: [completionSource(queryClient, () => latest.current.range)],
            icons: false,
          }),
          placeholder('{ resource.service.name = "checkout" && duration > 500ms }'),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ 'aria-label': 'TraceQL query', spellcheck: 'false' }),
          EditorView.updateListener.of((change) => {
            if (!change.docChanged) return;
            latest.current.onChange(change.state.doc.toString());
            if (change.transactions.some((t) => t.isUserEvent('input.complete')))
              startCompletion(change.view);
          }),
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, [queryClient]);

  useEffect(() => {
    const editor = view.current!;
    const old = editor.state.doc.toString();
    if (old !== text) editor.dispatch({ changes: { from: 0, to: old.length, insert: text } });
  }, [text]);

  useEffect(() => {
    const editor = view.current!;
    const place = error?.at && placeOf(editor, error.at);
    const diagnostics = place ? [{ ...place, severity: 'error' as const, message: error.message }] : [];
    editor.dispatch(setDiagnostics(editor.state, diagnostics));
  }, [error]);

  return <div className="query-editor" ref={host} />;
}

/** Line and column count from 1; the length is in bytes and good enough for an underline. */
function placeOf(
  editor: EditorView,
  at: NonNullable<ApiError['at']>,
): { from: number; to: number } | undefined {
  if (at.line === undefined || at.line > editor.state.doc.lines) return undefined;
  const line = editor.state.doc.line(Math.max(1, at.line));
  const from = Math.min(line.to, line.from + Math.max(0, (at.column ?? 1) - 1));
  const to = Math.min(editor.state.doc.length, from + Math.max(1, at.length ?? 1));
  return from < to ? { from, to } : { from: Math.max(0, from - 1), to: from };
}
