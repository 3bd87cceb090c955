// Only in release builds against an old sysroot: the static libstdc++ of GCC 12 reads this variable of glibc 2.32. A
// local constant 0 ("maybe multi-threaded") is always correct, and keeps the addon loadable on glibc 2.31 and older.
extern "C" {
__attribute__((visibility("hidden"))) char __libc_single_threaded = 0;
}
