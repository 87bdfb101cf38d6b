// Service colours: the same name has the same colour in every trace, on every machine, in both themes.
//
// 1. FNV-1a of the name picks one of 30 hues (12 degrees apart; the reds, which mean "error" here, are left out).
// 2. Two more bits pick one of two strengths, so neighbours in hue stay apart.
// 3. OKLCH keeps the lightness equal, so that no service shouts, and text on it stays readable.

export type Theme = 'light' | 'dark';

export function hash32(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  h ^= h >>> 12;
  return h >>> 0;
}

const HUE_COUNT = 27;
const FIRST_HUE = 48; // past red and orange-red (10..40)
const HUE_SPAN = 312;

function tone(service: string): { hue: number; strong: boolean } {
  const h = hash32(service);
  return { hue: FIRST_HUE + ((h % HUE_COUNT) * HUE_SPAN) / HUE_COUNT, strong: ((h >>> 20) & 1) === 1 };
}

export function serviceColour(service: string, theme: Theme): string {
  if (service === '') return theme === 'light' ? 'oklch(0.65 0 0)' : 'oklch(0.62 0 0)';
  const { hue, strong } = tone(service);
  const [l, c] =
    theme === 'light' ? (strong ? [0.56, 0.13] : [0.68, 0.12]) : strong ? [0.62, 0.13] : [0.76, 0.1];
  return `oklch(${l} ${c} ${hue.toFixed(1)})`;
}

/** For style attributes: the browser picks by `color-scheme`. */
export function serviceCss(service: string): string {
  return `light-dark(${serviceColour(service, 'light')}, ${serviceColour(service, 'dark')})`;
}

/** Colours that canvases need by value; the same as in theme.css. */
export const CANVAS = {
  light: {
    error: '#c8242f',
    text: '#5b6470',
    line: '#e3e6ea',
    accent: '#0b7285',
    dot: '#3f6f8f',
    path: '#16191d',
  },
  dark: {
    error: '#ff6b6f',
    text: '#9aa4b1',
    line: '#2a3038',
    accent: '#4cc3d9',
    dot: '#7fb3d1',
    path: '#f2f4f7',
  },
} as const;
