import { h, svg } from './dom.ts';
import { icons } from './icons.ts';

/** A button that lets the user choose a file. */
export function fileButton(text: string, accept: string, onFile: (file: File) => void): HTMLElement {
  const input = h('input', {
    type: 'file',
    accept,
    hidden: true,
    onchange: () => {
      const [file] = input.files ?? [];
      if (file !== undefined) onFile(file);
      input.value = '';
    },
  });
  return h('span', {}, input, h('button', { type: 'button', onclick: () => input.click() }, svg(icons.file), text));
}
