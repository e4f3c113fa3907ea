/** Frames of the camera, one after the other, as fast as they are taken. */
export class Camera {
  readonly #stream: MediaStream;
  readonly #video: HTMLVideoElement;

  static async open(): Promise<Camera> {
    if (navigator.mediaDevices === undefined) {
      throw new Error('This page may not use a camera: it must be served over https or from localhost.');
    }
    const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, facingMode: 'environment' } });
    const video = document.createElement('video');
    video.muted = true;
    video.playsInline = true;
    video.srcObject = stream;
    await video.play();
    return new Camera(stream, video);
  }

  private constructor(stream: MediaStream, video: HTMLVideoElement) {
    this.#stream = stream;
    this.#video = video;
  }

  get running(): boolean {
    return this.#stream.active;
  }

  frame(): Promise<ImageBitmap> {
    return createImageBitmap(this.#video);
  }

  stop(): void {
    for (const track of this.#stream.getTracks()) track.stop();
    this.#video.srcObject = null;
  }
}
