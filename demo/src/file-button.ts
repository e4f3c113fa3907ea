import { h, svg } from './dom.ts';
import { icons } from './icons.ts';

/** A button that lets the user choose files: several where `multiple` says so. */
export function fileButton(
  text: string,
  accept: string,
  onFiles: (first: File, all: readonly File[]) => void,
  multiple = false,
): HTMLElement {
  const input = h('input', {
    type: 'file',
    accept,
    hidden: true,
    multiple,
    onchange: () => {
      const files = [...(input.files ?? [])];
      if (files[0] !== undefined) onFiles(files[0], files);
      input.value = '';
    },
  });
  return h('span', {}, input, h('button', { type: 'button', onclick: () => input.click() }, svg(icons.file), text));
}
