// Exceptions on spans: the event that OpenTelemetry's semantic conventions define, and its stack trace cut into frames.
import type { Attribute } from './values';
import { valueText } from './values';

export interface Exception {
  type: string;
  message: string;
  lines: StackLine[];
  escaped: boolean;
}

export interface StackLine {
  text: string;
  /** a frame of a library or of the language's own code: shown fainter */
  foreign: boolean;
  /** "Caused by", "During handling of ..." and other headings between stacks */
  heading: boolean;
}

const FOREIGN =
  /site-packages|dist-packages|\/usr\/lib\/|\/lib\/python3|node_modules|node:internal|^\s*at (java|javax|jdk|sun|org\.springframework|io\.netty)\.|\/go\/src\/runtime|\/rustc\/|<frozen/;
const HEADING = /^(Caused by|Suppressed|Traceback|During handling|The above exception|goroutine \d)/;

export function exceptionOf(name: string, attributes: Attribute[]): Exception | undefined {
  if (name !== 'exception') return undefined;
  const text = (key: string) => {
    const found = attributes.find((a) => a.key === key);
    return found ? valueText(found.value) : '';
  };
  return {
    type: text('exception.type'),
    message: text('exception.message'),
    escaped: text('exception.escaped').toLowerCase() === 'true',
    lines: stackLines(text('exception.stacktrace')),
  };
}

export function stackLines(stack: string): StackLine[] {
  const lines = stack.replace(/\s+$/, '').split('\n');
  if (lines.length === 1 && lines[0] === '') return [];
  let foreign = false;
  return lines.map((text) => {
    const isFrame = /^\s*(File "|at |#\d+|\d+: )/.test(text);
    const indented = /^\s/.test(text);
    if (isFrame) foreign = FOREIGN.test(text);
    else if (!indented) foreign = false;
    return { text, foreign, heading: HEADING.test(text) };
  });
}
