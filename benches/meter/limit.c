/* The lowest address that the stack of a recursive module may use: here there is no limit. */
unsigned synth_stack_limit;
