// Random bytes from the TPM through libtbs, with cgo; a context.Context ends a command, on the TPM as well:
//
//	go run libtbs.go [COUNT]
package main

/*
#cgo pkg-config: tbs
#include <tbs.h>
#include <tbsx.h>

// Flags of an anonymous union are out of cgo's reach.
static TBS_RESULT open_tpm20(TBS_HCONTEXT* context) {
  TBS_CONTEXT_PARAMS2 params = {.version = TBS_CONTEXT_VERSION_TWO, .includeTpm20 = 1};
  return Tbsi_Context_Create((PCTBS_CONTEXT_PARAMS)&params, context);
}
*/
import "C"

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"time"
	"unsafe"
)

// tbsError is a code of tbs.h or tbsx.h.
type tbsError C.TBS_RESULT

func (e tbsError) Error() string {
	code := C.TBS_RESULT(e)
	return fmt.Sprintf("%s (%s)", C.GoString(C.Tbsx_Result_Text(code)), C.GoString(C.Tbsx_Result_Name(code)))
}

func check(code C.TBS_RESULT) error {
	if code != C.TBS_SUCCESS {
		return tbsError(code)
	}
	return nil
}

// tpm is a TBS context. Its methods may be called from any goroutine; a cancel ends what all have outstanding.
type tpm struct {
	handle  C.TBS_HCONTEXT
	largest C.UINT32
}

func open() (*tpm, error) {
	t := &tpm{}
	if err := check(C.open_tpm20(&t.handle)); err != nil {
		return nil, err
	}
	var info C.TBSX_CONTEXT_INFO
	if err := check(C.Tbsx_Get_Context_Info(t.handle, &info)); err != nil {
		t.close()
		return nil, err
	}
	t.largest = info.maxResponse
	return t, nil
}

func (t *tpm) close() { C.Tbsip_Context_Close(t.handle) }

// submit runs one command. It is cancelled when ctx ends.
func (t *tpm) submit(ctx context.Context, command []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	done, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		t.cancelWhen(ctx, done)
	}()
	response := make([]byte, t.largest)
	size := t.largest
	err := check(C.Tbsip_Submit_Command(t.handle, C.TBS_COMMAND_LOCALITY_ZERO, C.TBS_COMMAND_PRIORITY_NORMAL,
		C.PCBYTE(unsafe.Pointer(&command[0])), C.UINT32(len(command)),
		C.PBYTE(unsafe.Pointer(&response[0])), &size))
	close(done)
	<-watched
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, err
	}
	response = response[:size]
	if code := binary.BigEndian.Uint32(response[6:]); code != 0 {
		return nil, fmt.Errorf("the TPM refused; tbsctl explain %#x says why", code)
	}
	return response, nil
}

// cancelWhen cancels until the command has ended: one that comes after a cancel is met by the next.
func (t *tpm) cancelWhen(ctx context.Context, done chan struct{}) {
	select {
	case <-done:
		return
	case <-ctx.Done():
	}
	for {
		C.Tbsip_Cancel_Commands(t.handle)
		select {
		case <-done:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func getRandom(ctx context.Context, t *tpm, count int) ([]byte, error) {
	var data []byte
	for len(data) < count {
		wanted := count - len(data)
		if wanted > 32 {
			wanted = 32
		}
		response, err := t.submit(ctx, []byte{0x80, 0x01, 0, 0, 0, 12, 0, 0, 1, 0x7B, 0, byte(wanted)})
		if err != nil {
			return nil, err
		}
		if len(response) <= 12 {
			return nil, fmt.Errorf("the TPM gave no bytes")
		}
		data = append(data, response[12:]...)
	}
	return data, nil
}

func run() error {
	count := 16
	if len(os.Args) > 1 {
		var err error
		if count, err = strconv.Atoi(os.Args[1]); err != nil {
			return err
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	t, err := open()
	if err != nil {
		return err
	}
	defer t.close()
	data, err := getRandom(ctx, t, count)
	if err == nil {
		fmt.Println(hex.EncodeToString(data))
	}
	return err
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
