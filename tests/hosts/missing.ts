/** A host or tool cannot be had here: the test is skipped. */
export class Missing extends Error {}
