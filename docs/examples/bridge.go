// Random bytes from the TPM over a bridge, in Go alone. With `tbsctl bridge ./tpm.sock` running:
//
//	go run bridge.go ./tpm.sock [COUNT]
//
// A bridge on a port is host:port; the service tbs-bridge@raw has /run/tbs-bridge/raw.sock.
package main

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	noSessions  = 0x8001
	ccGetRandom = 0x0000017B
	headerSize  = 10
	largest     = 64 * 1024
)

// tpm is a connection to the bridge: a context of its own. The handles that it gets are known to it alone.
type tpm struct{ net.Conn }

func dial(address string) (tpm, error) {
	network := "tcp"
	if strings.Contains(address, "/") {
		network = "unix"
	}
	connection, err := net.Dial(network, address)
	return tpm{connection}, err
}

// submit sends one command; the response, whose header names its size. A command whose connection is closed is
// cancelled, so one that takes too long needs no more than that.
func (t tpm) submit(command []byte, timeout time.Duration) ([]byte, error) {
	if err := t.SetDeadline(time.Now().Add(timeout)); err != nil {
		return nil, err
	}
	if _, err := t.Write(command); err != nil {
		return nil, err
	}
	response := make([]byte, headerSize)
	if _, err := io.ReadFull(t, response); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(response[2:])
	if size < headerSize || size > largest {
		return nil, fmt.Errorf("a response of %d bytes makes no sense", size)
	}
	response = append(response, make([]byte, size-headerSize)...)
	if _, err := io.ReadFull(t, response[headerSize:]); err != nil {
		return nil, err
	}
	if code := binary.BigEndian.Uint32(response[6:]); code != 0 {
		return nil, fmt.Errorf("the TPM refused; tbsctl explain %#x says why", code)
	}
	return response, nil
}

func getRandom(t tpm, count int) ([]byte, error) {
	var data []byte
	for len(data) < count {
		wanted := count - len(data)
		if wanted > 32 {
			wanted = 32
		}
		command := binary.BigEndian.AppendUint16(nil, noSessions)
		command = binary.BigEndian.AppendUint32(command, headerSize+2)
		command = binary.BigEndian.AppendUint32(command, ccGetRandom)
		command = binary.BigEndian.AppendUint16(command, uint16(wanted))
		response, err := t.submit(command, 10*time.Second)
		if err != nil {
			return nil, err
		}
		if len(response) <= headerSize+2 {
			return nil, fmt.Errorf("the TPM gave no bytes")
		}
		data = append(data, response[headerSize+2:]...)
	}
	return data, nil
}

func run() error {
	if len(os.Args) < 2 {
		return fmt.Errorf("say where the bridge listens: bridge ADDRESS [COUNT]")
	}
	count := 16
	if len(os.Args) > 2 {
		var err error
		if count, err = strconv.Atoi(os.Args[2]); err != nil {
			return err
		}
	}
	t, err := dial(os.Args[1])
	if err != nil {
		return err
	}
	defer t.Close()
	data, err := getRandom(t, count)
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
