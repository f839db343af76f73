@ Runs one case after another: reads it from a file, starts it as the return from an exception starts code, and is
@ entered again by the exception that ends it. Instructions of Armv6-M, and where there is one of the unit.
@
@ RAM and FLOAT are given. From RAM: 0 the two handles and the words of a call of the host, 0x100 the case, 0x300
@ its result, up to 0xc00 our stack; 0x1000 to 0x3000 code, all UDF that differ but for the 32 bytes of the case at
@ 0x2000; 0x3000 the data, 64 words; 0x3200 the stack of the case, 512 words.
@
@ A case, in words: PC, xPSR, SP, r4 to r11, r0 to r3, r12, LR, FPSCR, s0 to s31, 8 of code.
@ A result: r4 to r11, r0 to r3, r12, LR, PC, xPSR, SP, CFSR, FPSCR, s0 to s31, a sum of the data, a sum of the
@ stack from SP up.
.syntax unified
.thumb
.equ CASE_BYTES, 232
.equ RESULT_BYTES, 212
.equ WORDS_AT, 0x3000
    .word RAM + 0xc00, BASE + reset + 1
    .rept 46
    .word BASE + fault + 1
    .endr
reset:
    .if FLOAT
    ldr r0, =0xe000ed88             @ CPACR: full access to the unit
    ldr r1, =0xf00000
    str r1, [r0]
    dsb
    isb
    ldr r0, =0xe000ef34             @ FPCCR: exceptions leave the registers of the unit where they are
    movs r1, #0
    str r1, [r0]
    dsb
    isb
    .endif
    ldr r0, =RAM + 0x1000           @ halfword i of the code is UDF #i
    ldr r2, =RAM + 0x3000
fill_code:
    lsls r1, r0, #23
    lsrs r1, r1, #24
    movs r3, #0xde
    lsls r3, r3, #8
    orrs r1, r3
    strh r1, [r0]
    adds r0, #2
    cmp r0, r2
    bne fill_code
    ldr r4, =RAM
    ldr r1, =cases_name + BASE
    movs r2, #1                     @ "rb"
    bl open
    str r0, [r4]
    ldr r1, =results_name + BASE
    movs r2, #5                     @ "wb"
    bl open
    str r0, [r4, #4]
    movs r0, #0
    str r0, [r4, #20]               @ nothing has run
    udf #0
open:                               @ name, mode
    str r1, [r4, #8]
    str r2, [r4, #12]
    movs r3, #5                     @ both names have 5 bytes
    str r3, [r4, #16]
    movs r0, #1
    mov r1, r4
    adds r1, #8
    bkpt #0xab
    bx lr
    .ltorg

fault:
    ldr r1, =RAM
    ldr r2, [r1, #20]
    cmp r2, #0
    bne keep
    movs r2, #1
    str r2, [r1, #20]
    b next
keep:
    mrs r0, psp
    ldr r1, =RAM + 0x300
    stmia r1!, {r4-r7}
    mov r4, r8
    mov r5, r9
    mov r6, r10
    mov r7, r11
    stmia r1!, {r4-r7}
    ldmia r0!, {r4-r7}
    stmia r1!, {r4-r7}
    ldmia r0!, {r4-r7}
    stmia r1!, {r4-r7}
    lsrs r7, r7, #10                @ xPSR, bit 9: a word below the frame keeps it aligned
    bcc aligned
    adds r0, #4
aligned:
    ldr r2, =0xe000ed28             @ CFSR, a bit of which is cleared by writing it
    ldr r3, [r2]
    str r3, [r2]
    movs r4, #0
    .if FLOAT
    vmrs r4, fpscr
    .endif
    mov r2, r0
    stmia r1!, {r2, r3, r4}
    .if FLOAT
    vstmia r1!, {s0-s31}
    .else
    adds r1, #128
    .endif
    ldr r2, =RAM + WORDS_AT
    ldr r3, =RAM + WORDS_AT + 0x100
    bl sum
    stmia r1!, {r4}
    movs r4, #0
    mov r2, r0
    ldr r3, =RAM + WORDS_AT + 0x200
    cmp r2, r3
    blo outside
    ldr r3, =RAM + WORDS_AT + 0xa00
    cmp r2, r3
    bhs outside
    bl sum
outside:
    stmia r1!, {r4}
    ldr r1, =RAM + 8
    ldr r2, =RAM
    ldr r2, [r2, #4]
    str r2, [r1]
    ldr r2, =RAM + 0x300
    str r2, [r1, #4]
    movs r2, #RESULT_BYTES
    str r2, [r1, #8]
    movs r0, #5                     @ SYS_WRITE
    bkpt #0xab
next:
    ldr r1, =RAM + 8
    ldr r2, =RAM
    ldr r2, [r2]
    str r2, [r1]
    ldr r2, =RAM + 0x100
    str r2, [r1, #4]
    movs r2, #CASE_BYTES
    str r2, [r1, #8]
    movs r0, #6                     @ SYS_READ: how many bytes there were not
    bkpt #0xab
    cmp r0, #0
    beq more
    movs r0, #0x18                  @ SYS_EXIT
    ldr r1, =0x20026
    bkpt #0xab
    b .
more:
    ldr r0, =RAM + WORDS_AT         @ word i of data and stack is 0x89abcdef + i * 0x01234567
    ldr r1, =RAM + WORDS_AT + 0xa00
    ldr r2, =0x89abcdef
    ldr r3, =0x01234567
fill:
    stmia r0!, {r2}
    adds r2, r2, r3
    cmp r0, r1
    bne fill
    ldr r0, =RAM + 0x100 + 200      @ the code
    ldr r1, =RAM + 0x2000
    ldmia r0!, {r2-r5}
    stmia r1!, {r2-r5}
    ldmia r0!, {r2-r5}
    stmia r1!, {r2-r5}
    ldr r0, =RAM + 0x100
    .if FLOAT
    ldr r1, [r0, #68]
    vmsr fpscr, r1
    mov r1, r0
    adds r1, #72
    vldmia r1, {s0-s31}
    dsb
    isb
    .endif
    ldr r1, [r0, #8]
    subs r1, #32
    msr psp, r1
    mov r7, r0
    adds r7, #44
    ldmia r7!, {r2-r5}
    stmia r1!, {r2-r5}              @ r0 to r3
    ldmia r7!, {r2, r3}
    ldr r4, [r0]
    ldr r5, [r0, #4]
    stmia r1!, {r2-r5}              @ r12, LR, PC, xPSR
    mov r7, r0
    adds r7, #28
    ldmia r7!, {r2-r5}
    mov r8, r2
    mov r9, r3
    mov r10, r4
    mov r11, r5
    adds r0, #12
    ldmia r0!, {r4-r7}
    ldr r0, =0xfffffffd             @ thread mode, the stack of the case, no registers of the unit in the frame
    bx r0
sum:                                @ r4: of the words from r2 to r3, each time 31 times what it was, and the word
    movs r4, #0
sum_next:
    lsls r6, r4, #5
    subs r4, r6, r4
    ldr r5, [r2]
    adds r4, r4, r5
    adds r2, #4
    cmp r2, r3
    bne sum_next
    bx lr
    .ltorg
    .balign 4
cases_name:
    .asciz "cases"
    .balign 4
results_name:
    .asciz "found"
