import {
  env,
  type InferenceSession,
  type InferenceSessionHandler,
  type SessionHandler,
  type Tensor,
} from 'onnxruntime-common';
import type { Profile, ValueInfo } from '../api/description.js';
import { NeuromancerError } from '../api/errors.js';
import type { Session } from '../api/session.js';
import type { Values } from '../engine/backend.js';
import type { WebAbortSignal } from '../host/host-types.js';
import { isKept, type Value, type ValueLike } from '../values/values.js';
import { flags } from './environment.js';
import { Loops } from './loops.js';
import { checkOverridden, metadataOf, withOverrides } from './metadata.js';
import { summary } from './profiles.js';
import { checkRunOptions } from './session-options.js';
import { fill, fromEngine, toEngine, whenAll } from './values.js';

/** A session as onnxruntime-common's InferenceSession drives it. */
export class Handler implements InferenceSessionHandler {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly inputMetadata: readonly InferenceSession.ValueMetadata[];
  readonly outputMetadata: readonly InferenceSession.ValueMetadata[];
  readonly #session: Session;
  readonly #fixed: ReadonlyMap<string, ValueInfo>;
  readonly #loops: Loops;
  /** The runs since `startProfiling`. */
  #profiles: Profile[] | undefined;

  constructor(session: Session, options: InferenceSession.SessionOptions) {
    const overrides = options.freeDimensionOverrides ?? {};
    this.#session = session;
    this.#loops = new Loops(session, options);
    const [inputs, outputs] = [session.inputs, session.outputs].map((ports) =>
      ports.map((info) => withOverrides(info, overrides)),
    ) as [ValueInfo[], ValueInfo[]];
    this.inputNames = inputs.map(({ name }) => name);
    this.outputNames = outputs.map(({ name }) => name);
    this.inputMetadata = inputs.map(metadataOf);
    this.outputMetadata = outputs.map(metadataOf);
    this.#fixed = new Map(Object.keys(overrides).length === 0 ? [] : inputs.map((info) => [info.name, info]));
    if (options.enableProfiling === true) this.startProfiling();
  }

  async run(
    feeds: SessionHandler.FeedsType,
    fetches: SessionHandler.FetchesType,
    options: InferenceSession.RunOptions & { signal?: WebAbortSignal },
  ): Promise<SessionHandler.ReturnType> {
    checkRunOptions(options);
    const { signal, terminate } = options;
    if (terminate === true) {
      throw new NeuromancerError('cancelled', 'The run was told to terminate by its option "terminate".');
    }
    const inputs = this.#inputs(feeds);
    const keep = Object.keys(fetches).filter((name) => !fetches[name] && this.#loops.has(name));
    const outputs = await this.#session.run<Values>(inputs instanceof Promise ? await inputs : inputs, {
      fetch: Object.keys(fetches).filter((name) => !keep.includes(name)),
      keep,
      ...(signal === undefined ? {} : { signal }),
      ...(this.#profiles === undefined ? {} : { profile: (profile: Profile) => this.#profiles?.push(profile) }),
    });
    const values = Object.fromEntries(
      Object.entries(fetches).map(([name, made]) => {
        const value = Object.hasOwn(outputs, name) ? outputs[name] : undefined;
        return [name, made ? fill(made, value, name) : this.#output(name, value)];
      }),
    );
    // Nobody waits for it; a session that was released meanwhile has nothing to relieve.
    this.#loops.relieve().catch(() => {});
    return values;
  }

  startProfiling(): void {
    this.#profiles ??= [];
  }

  endProfiling(): void {
    const profiles = this.#profiles;
    if (profiles === undefined) return;
    this.#profiles = undefined;
    const { onProfile } = flags(env);
    if (onProfile === undefined) console.log(summary(profiles));
    else onProfile(profiles);
  }

  async dispose(): Promise<void> {
    await this.#loops.end();
    await this.#session.release();
  }

  #output(name: string, value: Value): Tensor {
    if (isKept(value)) return this.#loops.held(name, value) as unknown as Tensor;
    const tensor = fromEngine(value, this.#typeOf(name));
    this.#loops.copied(name, tensor);
    return tensor;
  }

  #inputs(feeds: SessionHandler.FeedsType): Record<string, ValueLike> | Promise<Record<string, ValueLike>> {
    const given = Object.entries(feeds as Record<string, Tensor | null>);
    for (const [name, value] of given) {
      const info = this.#fixed.get(name);
      if (info !== undefined && value !== null) checkOverridden(info, value.dims);
    }
    this.#loops.see(given.map(([, value]) => value));
    const named = (values: readonly ValueLike[]) => Object.fromEntries(given.map(([name], i) => [name, values[i]]));
    const values = whenAll(given.map(([name, value]) => toEngine(value, name, this.#session)));
    return values instanceof Promise ? values.then(named) : named(values);
  }

  #typeOf(output: string): string {
    return this.#session.outputs.find(({ name }) => name === output)?.type ?? '';
  }
}
