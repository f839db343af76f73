@ Runs one instruction after another from known registers, flags and memory, and keeps what it leaves.
@ Vector table at 0. Records at 0x10000, 200 bytes each: code address with bit 0 set (0 ends), APSR,
@ r0 to r12, LR, s0 to s31, FPSCR, a word of nothing. Results at 0x60000000, 448 bytes each: r0 to r12, LR,
@ APSR, s0 to s31, FPSCR, 64 words of scratch.
.syntax unified
.thumb
    .word 0x20001000, 0x101
    .rept 62
    .word 0x1f1                     @ any exception ends the run: the file stays away
    .endr
    .org 0x100
reset:
    movw r0, #0xed88
    movt r0, #0xe000                @ CPACR: full access to the floating-point unit
    mov.w r1, #0xf00000
    str r1, [r0]
    dsb
    isb
    movw r0, #0
    movt r0, #0x2000                @ 0x20000000: record pointer, result pointer
    movw r1, #0
    movt r1, #1
    str r1, [r0]
    movw r1, #0
    movt r1, #0x6000
    str r1, [r0, #4]
loop:
    movw r0, #0
    movt r0, #0x2000
    ldr r1, [r0]
    ldr r2, [r1]
    cmp r2, #0
    beq.w done
    movw r3, #0
    movt r3, #0x2001                @ 0x20010000: scratch, word i is 0x89abcdef + i * 0x01234567
    movw r4, #0xcdef
    movt r4, #0x89ab
    movw r5, #0x4567
    movt r5, #0x0123
    movs r6, #64
fill:
    str r4, [r3], #4
    adds r4, r4, r5
    subs r6, #1
    bne fill
    movw r3, #0x1000
    movt r3, #0x2000
    mov sp, r3
    str r2, [sp, #-8]
    ldr r3, [r1, #192]
    vmsr fpscr, r3
    add.w r3, r1, #64
    vldmia r3, {s0-s31}
    ldr r3, [r1, #4]
    add.w lr, r1, #8
    msr apsr_nzcvq, r3
    ldm.w lr, {r0-r12, lr}
    .inst.w 0xf85dfc08              @ ldr.w pc, [sp, #-8], which the assembler does not know
    .org 0x1c0
capture:
    b.w keep
    .org 0x1f0
fault:
    b.w stop
keep:
    push.w {r0-r12, lr}
    mrs r4, apsr
    movw r0, #0
    movt r0, #0x2000
    ldr r2, [r0, #4]
    movs r6, #14
copy:
    ldr r5, [sp], #4
    str r5, [r2], #4
    subs r6, #1
    bne copy
    str r4, [r2], #4
    vstmia r2!, {s0-s31}
    vmrs r4, fpscr
    str r4, [r2], #4
    movw r3, #0
    movt r3, #0x2001
    movs r6, #64
dump:
    ldr r5, [r3], #4
    str r5, [r2], #4
    subs r6, #1
    bne dump
    str r2, [r0, #4]
    ldr r1, [r0]
    adds r1, #200
    str r1, [r0]
    b loop
done:
    ldr r7, [r0, #4]
    movw r6, #0
    movt r6, #0x6000
    subs r7, r7, r6                 @ bytes of results
    add.w r4, r0, #16
    adr r5, name
    str r5, [r4]
    movs r5, #5                     @ mode "wb"
    str r5, [r4, #4]
    movs r5, #11
    str r5, [r4, #8]
    movs r0, #1                     @ SYS_OPEN
    mov r1, r4
    bkpt #0xab
    str r0, [r4]
    str r6, [r4, #4]
    str r7, [r4, #8]
    movs r0, #5                     @ SYS_WRITE
    mov r1, r4
    bkpt #0xab
stop:
    movs r0, #0x18                  @ SYS_EXIT
    movw r1, #0x0026
    movt r1, #2
    bkpt #0xab
    b stop
    .balign 4
name:
    .asciz "results.bin"
