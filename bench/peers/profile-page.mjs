// Runs in the page: where the time of a model's run goes, step by step, in medians of many runs.
import { elements } from './models.mjs';
import { median } from './numbers.mjs';

window.measure = async ({ model, feeds, artefact, budgetMs }) => {
  const { Session } = await import('/web/dist/index.js');
  const session = await Session.load(model, { threads: 1, ...(artefact && { artefact }) });
  const inputs = Object.fromEntries(
    Object.entries(feeds).map(([name, feed]) => [name, { type: feed.type, data: elements(feed), dims: feed.dims }]),
  );
  const whole = [];
  const until = performance.now() + budgetMs;
  // As long as compilers replace code; the medians of the later half count.
  while (performance.now() < until) {
    const start = performance.now();
    await session.run(inputs);
    whole.push(performance.now() - start);
  }
  const profiles = [];
  for (const end = performance.now() + budgetMs / 2; performance.now() < end || profiles.length < 5; ) {
    await session.run(inputs, { profile: (profile) => profiles.push(profile) });
  }
  const steps = profiles[0].steps.map((step, i) => ({
    ...step,
    milliseconds: median(profiles.map((profile) => profile.steps[i].milliseconds)),
  }));
  return { run: median(whole.slice(whole.length >> 1)), artefact: session.engine.artefact, steps };
};
