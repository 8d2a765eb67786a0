/*
 * The child that the process managers are given.
 *
 *     child idle REPORT              says that it runs, and sleeps
 *     child lines REPORT GO N BLOCK  the same, waits until the file GO is there, writes N lines in writes of BLOCK bytes
 *
 * A report is a record of 32 bytes, appended to the file REPORT: the monotonic time in nanoseconds, and the pid.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 100, LIFE_SECONDS = 600 };

static void report(const char *path) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  char record[64];
  snprintf(record, sizeof record, "%020lld %010d\n", now.tv_sec * 1000000000LL + now.tv_nsec, (int)getpid());
  int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || write(fd, record, 32) != 32) exit(111);
  close(fd);
}

static void write_all(const char *bytes, size_t count) {
  while (count > 0) {
    ssize_t written = write(1, bytes, count);
    if (written < 0) exit(112);
    bytes += written;
    count -= written;
  }
}

static void write_lines(long lines, size_t block) {
  char *buffer = malloc(block + LINE + 1);
  size_t filled = 0;
  for (long number = 1; number <= lines; number++) {
    filled += sprintf(buffer + filled, "%012ld |payload| %-76.76s\n", number, number == lines ? "the last" : "a line");
    while (filled >= block) {
      write_all(buffer, block);
      filled -= block;
      memmove(buffer, buffer + block, filled);
    }
  }
  write_all(buffer, filled);
}

int main(int argc, char **argv) {
  /* Whatever happens to its manager, it does not stay for ever. */
  alarm(LIFE_SECONDS);
  if (argc < 3) return 2;
  report(argv[2]);
  if (argc == 6 && strcmp(argv[1], "lines") == 0) {
    while (access(argv[3], F_OK) != 0) usleep(1000);
    report(argv[2]);
    write_lines(atol(argv[4]), atol(argv[5]));
    report(argv[2]);
  }
  for (;;) pause();
}
