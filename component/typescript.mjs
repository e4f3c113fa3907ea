// After this is imported, the package's sources (web/src) can be: their imports name what TypeScript makes of them.
import { registerHooks } from 'node:module';

registerHooks({
  resolve: (name, context, next) =>
    next(context.parentURL?.endsWith('.ts') ? name.replace(/^(\..*)\.js$/, '$1.ts') : name, context),
});
