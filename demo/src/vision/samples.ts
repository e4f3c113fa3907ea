import { localFiles, localUrl } from '../catalogue.ts';

export interface Sample {
  name: string;
  /** For an image element. */
  url: string;
}

/** The pictures beside the repository; a generated one where there are none. */
export async function samples(): Promise<Sample[]> {
  const { pictures } = await localFiles();
  if (pictures.length === 0) return [{ name: 'Generated landscape', url: await landscape() }];
  return pictures.map((file) => ({
    name: file.replace(/\.\w+$/, '').replace(/[-_]/g, ' '),
    url: localUrl(`media/${file}`),
  }));
}

async function landscape(): Promise<string> {
  const [width, height] = [640, 420];
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
  const sky = context.createLinearGradient(0, 0, 0, height);
  sky.addColorStop(0, '#3d6fb4');
  sky.addColorStop(0.7, '#f3c79a');
  context.fillStyle = sky;
  context.fillRect(0, 0, width, height);
  context.fillStyle = '#fff3d6';
  context.beginPath();
  context.arc(470, 150, 38, 0, 2 * Math.PI);
  context.fill();
  const ranges = [
    { base: 260, height: 90, color: '#5b7a94' },
    { base: 310, height: 60, color: '#3f5d63' },
    { base: 360, height: 40, color: '#26403b' },
  ];
  ranges.forEach(({ base, height: rise, color }, i) => {
    context.fillStyle = color;
    context.beginPath();
    context.moveTo(0, height);
    for (let x = 0; x <= width; x += 4) {
      const wave = Math.sin(x / (90 - 20 * i) + 2 * i) + 0.4 * Math.sin(x / (23 + 7 * i) + i);
      context.lineTo(x, base - (rise / 1.4) * wave);
    }
    context.lineTo(width, height);
    context.fill();
  });
  return URL.createObjectURL(await canvas.convertToBlob());
}
