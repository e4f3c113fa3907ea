export interface Sample {
  name: string;
  url: string;
}

const pictures = import.meta.glob<string>('../../pictures/*.jpg', { query: '?url', import: 'default', eager: true });

/** The photographs that ship with the site. A cat first: every classifier knows cats. */
export const samples: readonly Sample[] = Object.entries(pictures)
  .map(([path, url]) => ({ name: (path.split('/').at(-1) ?? path).replace('.jpg', '').replace(/-/g, ' '), url }))
  .sort((a, b) => Number(b.name.includes('cat')) - Number(a.name.includes('cat')));
