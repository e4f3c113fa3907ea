/** "slaney" is linear up to 1 kHz and has triangles of equal area (librosa, Whisper); "htk" has triangles of equal height. */
export type MelScale = 'slaney' | 'htk';

const scales = {
  slaney: {
    toMel: (hertz: number) => (hertz < 1000 ? (3 * hertz) / 200 : 15 + (27 * Math.log(hertz / 1000)) / Math.log(6.4)),
    toHertz: (mel: number) => (mel < 15 ? (200 * mel) / 3 : 1000 * Math.exp((Math.log(6.4) * (mel - 15)) / 27)),
  },
  htk: {
    toMel: (hertz: number) => 2595 * Math.log10(1 + hertz / 700),
    toHertz: (mel: number) => 700 * (10 ** (mel / 2595) - 1),
  },
};

/** For each of `mels` bands between two frequencies in hertz, the weights of `bins` from 0 to half of the sampling rate. */
export function melFilters(
  mels: number,
  bins: number,
  sampleRate: number,
  low: number,
  high: number,
  scale: MelScale,
): Float32Array[] {
  const { toMel, toHertz } = scales[scale];
  const [from, to] = [toMel(low), toMel(high)];
  const edges = Array.from({ length: mels + 2 }, (_, i) => toHertz(from + ((to - from) * i) / (mels + 1)));
  return Array.from({ length: mels }, (_, band) => {
    const [left, middle, right] = edges.slice(band, band + 3) as [number, number, number];
    const height = scale === 'slaney' ? 2 / (right - left) : 1;
    return Float32Array.from({ length: bins }, (_, bin) => {
      const hertz = (bin * sampleRate) / 2 / (bins - 1);
      const share = Math.min((hertz - left) / (middle - left), (right - hertz) / (right - middle));
      return height * Math.max(0, share);
    });
  });
}
