// Symbol.dispose and Symbol.asyncDispose for `using`. Node 20.3 does not have them yet: there the methods exist under a
// private symbol and `dispose()` is the way.

export const disposeSymbol: typeof Symbol.dispose =
  Symbol.dispose ?? (Symbol.for('deberta.dispose') as unknown as typeof Symbol.dispose)

export const asyncDisposeSymbol: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? (Symbol.for('deberta.asyncDispose') as unknown as typeof Symbol.asyncDispose)
