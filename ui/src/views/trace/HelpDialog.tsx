import { Dialog, KeyList } from '../../widgets/Dialog';

export function HelpDialog({ onClose }: { onClose(): void }) {
  return (
    <Dialog title="Keys of the trace page" onClose={onClose}>
      <KeyList
        groups={[
          {
            title: 'Move',
            keys: [
              ['j ↓', 'next span'],
              ['k ↑', 'previous span'],
              ['→', 'expand, then first child'],
              ['←', 'collapse, then parent'],
              ['g G', 'first, last span'],
              ['e E', 'next, previous error'],
            ],
          },
          {
            title: 'Look',
            keys: [
              ['Enter', 'open or close the details'],
              ['c', 'critical path on or off'],
              ['o', 'operations of this trace'],
              ['Space', 'collapse or expand'],
              ['[ ]', 'collapse, expand all'],
              ['Esc', 'close, then zoom out, then deselect'],
            ],
          },
          {
            title: 'Time',
            keys: [
              ['z', 'zoom to the span'],
              ['+ −', 'zoom in, out'],
              ['a d', 'pan left, right'],
              ['0', 'the whole trace'],
            ],
          },
          {
            title: 'Find',
            keys: [
              ['/', 'search in this trace'],
              ['n N', 'next, previous match'],
            ],
          },
        ]}
      />
      <p className="muted">
        Search terms must all match one span: <code>payment 500</code>, <code>&quot;exact phrase&quot;</code>,{' '}
        <code>-redis</code>, <code>http.route=/charge</code>, <code>status=error</code>. Drag on the minimap
        or the ruler to zoom; Ctrl and wheel zooms too.
      </p>
    </Dialog>
  );
}
