/* Start-up of a Cortex-M, and input and output through semihosting: a `bkpt 0xab` that the emulator serves.
   Source: Arm, "Semihosting for AArch32 and AArch64", 2.0; Armv6-M Architecture Reference Manual, B1.5.3. */
#include "device.h"

#define SYS_OPEN 0x01u
#define SYS_WRITE 0x05u
#define SYS_READ 0x06u
#define SYS_EXIT_EXTENDED 0x20u
#define APPLICATION_EXIT 0x20026u

extern uint32_t stack_top[], data_start[], data_end[], data_load[], bss_start[], bss_end[];
int main(void);
void Reset_Handler(void);
void Default_Handler(void);

HARNESS __attribute__((noinline)) static uint32_t semihost(uint32_t operation, const uint32_t *block) {
    register uint32_t r0 __asm__("r0") = operation;
    register const uint32_t *r1 __asm__("r1") = block;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

HARNESS __attribute__((noinline)) static uint32_t console(uint32_t mode) { /* 0 reads, 4 writes */
    volatile char name[4];
    uint32_t block[3];
    name[0] = ':', name[1] = 't', name[2] = 't', name[3] = 0;
    block[0] = (uint32_t)(uintptr_t)name, block[1] = mode, block[2] = 3;
    return semihost(SYS_OPEN, block);
}

HARNESS_BSS static uint32_t in, out; /* handles, opened when they are first needed */

HARNESS uint32_t device_read(void *bytes, uint32_t n) {
    uint32_t block[3];
    if (in == 0) in = console(0);
    block[0] = in, block[1] = (uint32_t)(uintptr_t)bytes, block[2] = n;
    return n - semihost(SYS_READ, block);
}

HARNESS void device_write(const void *bytes, uint32_t n) {
    uint32_t block[3];
    if (out == 0) out = console(4);
    block[0] = out, block[1] = (uint32_t)(uintptr_t)bytes, block[2] = n;
    (void)semihost(SYS_WRITE, block);
}

HARNESS __attribute__((noinline)) void mark_start(void) { __asm__ volatile("" ::: "memory"); }
HARNESS __attribute__((noinline)) void mark_stop(void) { __asm__ volatile("nop" ::: "memory"); }

HARNESS __attribute__((noreturn)) static void leave(uint32_t status) {
    uint32_t block[2];
    block[0] = APPLICATION_EXIT, block[1] = status;
    for (;;) (void)semihost(SYS_EXIT_EXTENDED, block);
}

HARNESS void Reset_Handler(void) {
    const volatile uint32_t *from = data_load; /* volatile: no call of memcpy or memset, which would be .text */
    volatile uint32_t *to;
    for (to = data_start; to != data_end;) *to++ = *from++;
    for (to = bss_start; to != bss_end;) *to++ = 0;
    leave((uint32_t)main());
}

HARNESS void Default_Handler(void) { leave(255); }

typedef void (*Handler)(void);
struct vectors {
    uint32_t *stack;
    Handler handlers[15];
};
__attribute__((section(".vectors"), used)) static const struct vectors VECTORS = {
    stack_top,
    {Reset_Handler, Default_Handler, Default_Handler, Default_Handler, Default_Handler, Default_Handler,
     Default_Handler, Default_Handler, Default_Handler, Default_Handler, Default_Handler, Default_Handler,
     Default_Handler, Default_Handler, Default_Handler}};
