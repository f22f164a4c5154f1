/* What a test program may ask of the machine it runs on: bytes in, bytes out, and two marks. */
#ifndef DEVICE_H
#define DEVICE_H

#include <stdint.h>

/* Stands before code and zeroed variables that only feed and read the program: they are measured apart. */
#if defined(__arm__)
#define HARNESS __attribute__((section(".harness")))
#define HARNESS_BSS __attribute__((section(".bss.harness")))
#else
#define HARNESS
#define HARNESS_BSS
#endif

uint32_t device_read(void *bytes, uint32_t n);        /* fills up to n bytes; returns how many there were */
void device_write(const void *bytes, uint32_t n);
void mark_start(void);                                /* instructions and stack are measured from here ... */
void mark_stop(void);                                 /* ... to here */

#endif
