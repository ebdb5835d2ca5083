/* The main job, as a program of two clients sees it: answers from the TPM, a HIGH command that
 * overtakes LOW ones, and a key generation that is cancelled. Exits with 0 only if all of it
 * happened. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tbs.h>
#include <tbsx.h>
#include <time.h>

#include <pthread.h>

enum { kLowCommands = 12, kCancelAttempts = 50 };

static const BYTE kGetRandom[] = {0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x7b, 0, 16};

/* TPM2_CreatePrimary (TPM 2.0 Library Part 3): an RSA-2048 storage key under the owner hierarchy.
 * The last four bytes go into `unique`, so that each value makes another key. */
static const BYTE kCreatePrimary[] = {
    0x80, 0x02, 0, 0,    0,    71,   0, 0,    0x01, 0x31, 0x40, 0,
    0,    0x01, /* header, TPM_RH_OWNER */
    0,    0,    0, 9,    0x40, 0,    0, 0x09, 0,    0,    0,    0,
    0,                                                             /* TPM_RS_PW, empty password */
    0,    4,    0, 0,    0,    0,                                  /* inSensitive */
    0,    30,   0, 0x01, 0,    0x0b, 0, 0x03, 0x04, 0x72, 0,    0, /* RSA, SHA-256, attributes */
    0,    0x06, 0, 0x80, 0,    0x43, 0, 0x10, 0x08, 0,    0,    0,
    0,    0,                       /* AES-128 CFB, 2048 bits */
    0,    4,    0, 0,    0,    0,  /* unique */
    0,    0,    0, 0,    0,    0}; /* outsideInfo, creationPCR */
enum { kUniqueAt = 61 };

static double milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1000.0 + (double)now.tv_nsec / 1e6;
}

static void die(const char* what, TBS_RESULT result) {
  fprintf(stderr, "%s: %s (%s)\n", what, Tbsx_Result_Name(result), Tbsx_Result_Text(result));
  exit(1);
}

static TBS_HCONTEXT open_context(void) {
  TBS_CONTEXT_PARAMS2 params = {.version = TBS_CONTEXT_VERSION_TWO, .includeTpm20 = 1};
  TBS_HCONTEXT context;
  const TBS_RESULT result = Tbsi_Context_Create((PCTBS_CONTEXT_PARAMS)&params, &context);
  if (result != TBS_SUCCESS) die("open a context", result);
  return context;
}

static void get_random(TBS_HCONTEXT context, TBS_COMMAND_PRIORITY priority) {
  BYTE response[4096];
  UINT32 size = sizeof response;
  const TBS_RESULT result =
      Tbsip_Submit_Command(context, 0, priority, kGetRandom, sizeof kGetRandom, response, &size);
  if (result != TBS_SUCCESS || size != 28) die("GetRandom", result);
  printf("  the TPM's answer, %u bytes:", size);
  for (UINT32 i = 12; i < size; ++i) printf(" %02x", response[i]);
  printf("\n");
}

static void key_creation(BYTE* command, unsigned unique) {
  memcpy(command, kCreatePrimary, sizeof kCreatePrimary);
  for (unsigned i = 0; i < 4; ++i) command[kUniqueAt + i] = (BYTE)(unique >> (8 * i));
}

static void show_priorities(void) {
  printf("\nTwo clients: %d key creations at LOW, then one GetRandom at HIGH\n", kLowCommands);
  TBS_HCONTEXT low = open_context();
  TBS_HCONTEXT high = open_context();
  TBSX_REQUEST requests[kLowCommands];
  for (unsigned i = 0; i < kLowCommands; ++i) {
    BYTE command[sizeof kCreatePrimary];
    key_creation(command, i);
    const TBS_RESULT result =
        Tbsx_Submit_Begin(low, 0, TBS_COMMAND_PRIORITY_LOW, command, sizeof command, &requests[i]);
    if (result != TBS_SUCCESS) die("submit", result);
  }
  const double start = milliseconds();
  get_random(high, TBS_COMMAND_PRIORITY_HIGH);
  unsigned before = 0;
  for (unsigned i = 0; i < kLowCommands; ++i) {
    if (Tbsx_Submit_Result(low, requests[i], NULL, &(UINT32){0}, 0) != TBSX_E_PENDING) ++before;
  }
  printf("  HIGH was answered after %.1f ms, %u of the %d LOW commands before it\n",
         milliseconds() - start, before, kLowCommands);
  if (before > 3) die("the HIGH command did not overtake", TBS_E_INTERNAL_ERROR);
  Tbsip_Context_Close(low); /* cancels what is still queued */
  Tbsip_Context_Close(high);
}

struct creation {
  TBS_HCONTEXT context;
  unsigned unique;
  TBS_RESULT result;
  double ended;
};

static void* create_key(void* argument) {
  struct creation* creation = argument;
  BYTE command[sizeof kCreatePrimary];
  BYTE response[4096];
  UINT32 size = sizeof response;
  key_creation(command, creation->unique);
  creation->result = Tbsip_Submit_Command(creation->context, 0, TBS_COMMAND_PRIORITY_NORMAL,
                                          command, sizeof command, response, &size);
  creation->ended = milliseconds();
  return NULL;
}

/* A key can be found before the cancel comes, and is then the answer: so several attempts. */
static void show_cancel(void) {
  printf("\nA key generation, cancelled from another thread 5 ms after it was submitted\n");
  TBS_HCONTEXT context = open_context();
  struct creation creation = {.context = context};
  for (unsigned attempt = 1; attempt <= kCancelAttempts; ++attempt) {
    pthread_t thread;
    creation.unique = 1000 + attempt;
    pthread_create(&thread, NULL, create_key, &creation);
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    const double asked = milliseconds();
    const TBS_RESULT cancel = Tbsip_Cancel_Commands(context);
    pthread_join(thread, NULL);
    if (cancel != TBS_SUCCESS) die("cancel", cancel);
    if (creation.result == TBS_E_COMMAND_CANCELED) {
      printf("  its submitter got %s %.1f ms after the cancel (attempt %u)\n",
             Tbsx_Result_Name(creation.result), creation.ended - asked, attempt);
      get_random(context, TBS_COMMAND_PRIORITY_NORMAL);
      Tbsip_Context_Close(context);
      return;
    }
    if (creation.result != TBS_SUCCESS) die("create a key", creation.result);
    Tbsip_Context_Close(context); /* and with it the key that was made */
    creation.context = context = open_context();
  }
  die("no key generation could be cancelled", TBS_E_INTERNAL_ERROR);
}

int main(void) {
  printf("\nOne client\n");
  TBS_HCONTEXT context = open_context();
  get_random(context, TBS_COMMAND_PRIORITY_NORMAL);
  Tbsip_Context_Close(context);
  show_priorities();
  show_cancel();
  return 0;
}
